"""The day in one page for a mail: what the first screen says, as text and as HTML."""

import json
import re

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.units import DAY_MS
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.model_file import default_model
from stream.page.screens.digest import digest, digest_text
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import today
from stream.page.screens.view import KIND_TABS
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.digest_page import digest_page
from stream.policy_file import load_policy
from tests.support.page_entries import opened
from tests.support.studies import report_of


@pytest.fixture
def made(shop):
    store, view = shop
    with store.reading() as reading:
        return digest(reading, view)


@pytest.mark.parametrize("kind", KIND_TABS)
def test_a_mail_says_what_the_first_screen_says(shop, made, kind):
    store, view = shop
    with store.reading() as reading:
        screen = today(reading, today_filters({"kind": kind}, view), view)

    (part,) = [each for each in made.kinds if each.title == KIND_TABS[kind]]
    assert part.rows == screen.rows[:5]
    assert len(part.rows) + part.more == screen.total.customers
    assert screen.total.stake in part.summary or not screen.rows


def test_the_text_has_who_why_how_much_and_what_to_do_in_lines_of_78_letters(made):
    text = digest_text(made)

    assert max(map(len, text.splitlines())) <= 78
    for part in made.kinds:
        for row in part.rows:
            assert row.customer in text
            assert row.stake in text
    assert text.count("To do:") == sum(len(part.rows) for part in made.kinds)


def test_the_html_is_one_file_that_asks_nobody(made):
    page = digest_page(made)

    assert page.startswith("<!doctype html>")
    assert not re.search(r"<script|<link|<img|https?://", page)
    assert all(row.customer in page for part in made.kinds for row in part.rows)


def test_an_empty_shop_has_a_mail_that_says_nobody(shop, tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")

    with store.reading() as reading:
        text = digest_text(digest(reading, shop[1]))

    assert text.count("Nobody today.") == 3
    store.close()


def test_each_currency_is_told_by_itself(shop, tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    store.write(Batch(opened=[opened("a"), opened("b", 90_000, currency="JPY")]))

    with store.reading() as reading:
        text = digest_text(digest(reading, shop[1]))

    assert "Loyal customers at risk (EUR)" in text
    assert "Loyal customers at risk (JPY)" in text
    assert "€115 of profit" in text
    assert "¥103,500 of profit" in text
    store.close()


HOSTILE = ["<script>alert(1)</script>", "a\u202egnp.exe", "nul\0nul", "x" * 10_000, "two\nlines"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_both_forms(shop, tmp_path, name):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    store.write(Batch(opened=[opened(name)]))

    with store.reading() as reading:
        found = digest(reading, shop[1])
    page, text = digest_page(found), digest_text(found)

    assert "<script>" not in page
    for unseen in ("\0", "\u202e"):
        assert unseen not in page
        assert unseen not in text
    assert "1 customer" in text
    store.close()


def test_the_command_writes_both_files_from_the_folder_of_try(shop_files, tmp_path):
    profiles, alerts = shop_files
    words = ["digest", "--profiles", str(profiles), "--alerts", str(alerts)]
    html, text = tmp_path / "digest.html", tmp_path / "digest.txt"

    written = CliRunner().invoke(main, [*words, "--html", str(html), "--text", str(text)])
    printed = CliRunner().invoke(main, words)

    assert (written.exit_code, printed.exit_code) == (0, 0), written.output
    assert written.stdout == ""
    assert text.read_text() == printed.stdout
    assert "<h2>Likely to leave</h2>" in html.read_text()


def test_the_sentences_of_the_last_report_are_in_the_mail(shop_files, tmp_path, shop):
    life = Shop(seed=3, customers=120, days=540)
    events = shop_events(life, planned_lives(life))
    numbers = report_of(events, events[-1].time_ms // DAY_MS * DAY_MS)
    numbers |= {"policy": load_policy(None).hash, "model": default_model().version}
    (tmp_path / "report.json").write_text(json.dumps(numbers))
    words = ["digest", "--profiles", str(shop_files[0]), "--published", str(tmp_path)]

    answer = CliRunner().invoke(main, words)

    assert answer.exit_code == 0, answer.output
    assert "The business as of" in answer.stdout
    assert "Who matters most are" in answer.stdout


@pytest.mark.parametrize("content", [b"\0" * 100, b'{"customer": "c"}\n', b"a,b\n1,2\n"])
def test_a_file_without_any_event_makes_no_mail_that_says_nobody(tmp_path, content):
    (tmp_path / "e.jsonl").write_bytes(content)
    html = tmp_path / "digest.html"

    answer = CliRunner().invoke(main, ["digest", "--events", str(tmp_path / "e.jsonl"), "--html", str(html)])

    assert answer.exit_code in (1, 2)
    assert answer.output.splitlines()[-1].startswith("Error: ") or "import it first" in answer.output
    assert not html.exists()


@pytest.mark.parametrize("words", [["--alerts", "{alerts}"], ["--profiles", "{alerts}"]])
def test_a_wrong_source_is_refused_in_one_line(shop_files, words):
    named = [word.format(alerts=shop_files[1]) for word in words]

    answer = CliRunner().invoke(main, ["digest", *named])

    assert answer.exit_code in (1, 2)
    assert answer.output.splitlines()[-1].startswith("Error: ")
