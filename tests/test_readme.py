"""The README is short, and shows what the program prints today."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import COMMANDS, main
from stream.demo.feedback import with_feedback
from stream.demo.run import MODEL
from stream.importing.datasets.completejourney import completejourney_events
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.wire import encode_event
from tests.support.dashboard_process import dashboard_process, fetched
from tests.support.pages import blocks, commands, linked, text_of
from tests.support.small_shop import small_shop

LINES_MAX = 120
README = "README.md"
BLOCKS = blocks(README)
NUMBER = re.compile(r"\d*[.,]?\d[\d.,]*\d|\d")


def printed_by(words: list[str]) -> str:
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 0, answer.output
    return answer.output


def not_printed(shown: str, printed: str) -> list[str]:
    """The lines of a block that are not printed in this order; `...` stands for lines that are left out."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    return [line for line in shown.splitlines() if line != "..." and line.rstrip() not in lines]


def test_the_readme_is_short():
    assert len(text_of(README).splitlines()) <= LINES_MAX


def test_the_readme_lists_every_command():
    assert set(re.findall(r"^\| `stream (\w+)` \|", text_of(README), flags=re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("page", [README, "docs/how-alerts-work.md"])
def test_what_a_page_shows_of_a_customer_is_what_the_commands_above_print(page, tmp_path, monkeypatch):
    typed, shown = next(pair for pair in pairwise(blocks(page)) if "stream explain" in pair[0])
    monkeypatch.chdir(tmp_path)

    printed = [printed_by(words) for words in commands(typed)]

    assert not_printed(shown, printed[-1]) == [], "copy these lines anew from what the commands print"


@pytest.mark.data
def test_the_alert_in_the_readme_is_what_the_demo_prints(tmp_path):
    shown = next(block for block in BLOCKS if "new alert" in block)
    customer = re.findall(r": (\S+) \(", shown)[0]
    events = tmp_path / "events.jsonl"
    try:
        year = list(with_feedback(completejourney_events(), 1))
    except SourceUnavailableError as missing:
        pytest.skip(str(missing))
    events.write_bytes(b"".join(encode_event(each) + b"\n" for each in year if each.subject == customer))

    printed = printed_by(["explain", customer, "--events", str(events), "--model", str(MODEL)])

    assert not_printed(indented(shown, 2), printed) == [], "copy it anew from the end of `make demo`"


def indented(text: str, spaces: int) -> str:
    """As `stream explain` prints an alert: its headline by two, its lines by four."""
    return "".join(
        " " * spaces * (2 if line.startswith(" ") else 1) + line.lstrip() + "\n" for line in text.splitlines()
    )


def test_every_figure_of_the_readme_stands_in_its_source():
    table = text_of(README).partition("## Measured")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \| \[.+\]\((.+)\) \|$", table, flags=re.MULTILINE)
    lost = {
        number
        for what, figures, source in rows
        for number in NUMBER.findall(what + figures)
        if number not in linked(README, source).read_text()
    }

    assert len(rows) >= 5
    assert lost == set()


def test_an_excerpt_must_keep_the_order_of_what_is_printed():
    assert not_printed("a\n...\nc\n", "a\nb\nc\n") == []
    assert not_printed("c\na\n", "a\nb\nc\n") == ["a"]


def test_the_csv_of_the_readme_becomes_alerts_and_a_report(tmp_path, monkeypatch):
    """Word for word the commands of the README, in an empty folder, on a small file."""
    block = next(block for block in BLOCKS if "stream try" in block)
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(small_shop())

    for words in commands(block):
        if words[0] != "dashboard":
            printed_by(words)
            continue
        with dashboard_process(*words[1:]) as (_, address):
            assert "customers are known" in (page := fetched(address)) or "Worst first" in page

    assert Path("orders.try/alerts.jsonl").read_text().count("\n") > 0
    assert "<html" in Path("orders.try/report.html").read_text()
