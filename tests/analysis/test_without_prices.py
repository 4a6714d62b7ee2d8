"""Where no purchase has a price, every command says that no alert can be raised, not that none was."""

import json

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.panes.backtest import backtest_pane
from tests.support.shop import purchases, write_events


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    events = [
        msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, total_minor=0, products=()))
        for event in purchases(customers=120)
    ]
    return write_events(events, tmp_path_factory.mktemp("free") / "events.jsonl")


def printed_by(*words):
    answer = CliRunner().invoke(main, [*words])
    assert answer.exit_code == 0, answer.output
    return " ".join(answer.output.split())


def test_backtest_says_that_no_alert_can_ever_be_raised(free):
    words = ["backtest", str(free), "--split", "2024-10-20", "--horizon", "8w"]
    text = printed_by(*words)

    assert text.count("no alert can ever be raised") == 1
    assert "none was raised early enough" not in text
    assert any(
        "no alert can ever" in note for note in json.loads(printed_by(*words, "--json"))["model"]["notes"]
    )


def test_the_page_of_a_backtest_says_so_instead_of_blaming_the_time(free, tmp_path):
    report = tmp_path / "backtest.html"
    printed_by("backtest", str(free), "--split", "2024-10-20", "--horizon", "8w", "--report", str(report))

    page = report.read_text()
    assert page.count("o alert can ever be raised") == 1
    assert "early enough" not in page


def test_the_pane_of_a_backtest_says_so(free):
    words = ["backtest", str(free), "--split", "2024-10-20", "--horizon", "8w", "--json"]
    numbers = json.loads(printed_by(*words))

    assert backtest_pane(numbers, numbers["policy"]).count("o alert can ever be raised") == 1
    numbers["model"]["notes"] = []
    assert "can ever be raised" not in backtest_pane(numbers, numbers["policy"])


def test_fit_says_so(free, tmp_path):
    text = printed_by("fit", str(free), "--out", str(tmp_path / "model.json"))

    assert text.count("no alert can ever be raised") == 1
    assert "repeat buyers with a price" not in text


def test_the_report_says_so(free, tmp_path):
    printed_by("report", str(free), "--out", str(tmp_path / "report.html"))

    assert (tmp_path / "report.html").read_text().count("no alert can ever be raised") == 1


def test_replay_says_so(free):
    assert printed_by("replay", str(free)).count("no alert can ever be raised") == 1


def test_a_comparison_of_policies_says_so(free, tmp_path):
    (tmp_path / "policy.toml").write_text("[contact]\nalerts_max = 1\n")
    words = ("policy", "diff", "default", str(tmp_path / "policy.toml"), str(free))

    assert printed_by(*words).count("no alert can ever be raised") == 1
    assert "no alert can ever" in json.loads(printed_by(*words, "--json"))["notes"][0]


def test_explain_says_that_nothing_of_money_is_known(free):
    text = printed_by("explain", "c1", "--events", str(free))

    assert "No order of theirs has a price" in text
    assert "Expected profit" not in text
    assert "No alert is open." in text


def test_a_note_never_says_only_all(tmp_path):
    path = write_events(purchases(customers=8, leave=(0.1, 9.0)), tmp_path / "few.jsonl")
    text = printed_by("fit", str(path), "--out", str(tmp_path / "model.json"))

    assert "Only 8 of 8" not in text
    assert "All 8 customers bought again" in text or "of 8 customers bought again" in text
