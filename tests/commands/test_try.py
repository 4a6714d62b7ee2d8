"""`stream try`: from a file to alerts and a report in one command, into a folder of its own."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from tests.support.small_shop import small_shop
from tests.support.tried import REVIEWS, TINY, tried, visible

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

ALL = {
    *("mapping.toml", "events.jsonl.gz", "events.rejects.jsonl", "model.json", "profiles.jsonl"),
    *("alerts.jsonl", "backtest.html", "backtest.json", "report.html", "report.json"),
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_export_becomes_alerts_a_backtest_and_a_report_beside_nothing_else():
    answer = tried(small_shop())

    assert answer.exit_code == 0, answer.output
    assert {path.name for path in Path().iterdir()} == {"orders.csv", "orders.try"}
    assert visible("orders.try") == ALL
    assert Path("orders.try/alerts.jsonl").read_text().count('"raised"') > 0
    assert "<html" in Path("orders.try/report.html").read_text()
    assert "alerts were raised in all" in answer.output
    assert "churn alerts" in answer.output


def test_each_step_is_shown_as_the_command_that_repeats_it_alone():
    first = tried(small_shop())
    steps = [line.removeprefix("$ ") for line in first.output.splitlines() if line.startswith("$ stream ")]
    before = {name: Path("orders.try", name).read_bytes() for name in ("profiles.jsonl", "alerts.jsonl")}

    assert [shlex.split(step)[1] for step in steps] == [
        "import",
        "import",
        "fit",
        "replay",
        "backtest",
        "report",
    ]
    for step in steps:
        words, _, into = step.partition(" > ")
        answer = CliRunner().invoke(main, shlex.split(words)[1:])
        assert answer.exit_code == 0, answer.output
        if into:
            Path(into).write_text(answer.stdout)
    assert {name: Path("orders.try", name).read_bytes() for name in before} == before


def test_where_nothing_can_be_fitted_the_shipped_model_judges_and_the_reason_is_said():
    answer = tried(REVIEWS)

    assert answer.exit_code == 1, answer.output
    assert "no purchase in these events: nothing to learn from" in answer.output
    assert "So the shipped model judges them" in answer.output
    assert "--model" not in answer.output
    assert visible("orders.try") == ALL - {
        "model.json",
        "backtest.html",
        "backtest.json",
        "report.html",
        "report.json",
    }


def test_a_history_too_short_for_a_backtest_is_told():
    answer = tried(TINY)

    assert answer.exit_code == 0, answer.output
    assert "Not tested: that takes purchases over 12 weeks at least" in answer.output
    assert visible("orders.try") == ALL - {"backtest.html", "backtest.json"}


def test_what_was_not_found_in_the_file_is_said():
    answer = tried("Date,Email\n2026-01-02,a@example.com\n2026-01-03,b@example.com\n")

    assert "No column looks like money" in answer.output
    assert "No column looks like the number of an order" in answer.output
    assert "caution: no column holds money" in answer.output


def test_without_customer_or_time_it_ends_with_the_columns_that_there_are():
    answer = tried("foo,bar\n1,2\n")

    assert answer.exit_code == 2
    assert "no column looks like the customer or time; the columns are foo, bar" in answer.output
    assert "docs/import.md" in answer.output


def test_lines_that_are_rejected_make_exit_code_1_and_the_rest_is_judged():
    answer = tried(small_shop() + "x,o1,c1,p,1,9.90,EUR\n" * 200)

    assert answer.exit_code == 1
    assert "of the lines are rejected" in answer.output
    assert answer.stdout.splitlines()[-1].startswith("Part of the file could not be used")
    assert visible("orders.try") >= {"alerts.jsonl", "report.html"}


def test_a_file_of_events_is_not_imported():
    CliRunner().invoke(
        main, ["import", "generated", "--customers", "40", "--days", "300", "--out", "shop.jsonl"]
    )

    answer = CliRunner().invoke(main, ["try", "shop.jsonl", "--out", "results"])

    assert answer.exit_code == 0, answer.output
    assert "shop.jsonl: events already, nothing to import." in answer.output
    assert "import --suggest" not in answer.output
    assert visible("results") == ALL - {"mapping.toml", "events.jsonl.gz", "events.rejects.jsonl"}


def test_an_export_in_json_with_a_field_type_is_no_file_of_events():
    orders = ["c1", "o1", "2026-01-02", "20.00"], ["c2", "o2", "2026-02-02", "30.00"]
    rows = [dict(zip(("customer_id", "order_id", "date", "total"), order, strict=True)) for order in orders]
    Path("orders.jsonl").write_text("".join(json.dumps({"type": "order", **row}) + "\n" for row in rows))

    answer = CliRunner().invoke(main, ["try", "orders.jsonl", "--now", "2026-03-01"])

    assert answer.exit_code == 0, answer.output
    assert "events already" not in answer.output
    assert len(Path("orders.try/profiles.jsonl").read_text().splitlines()) == 2


def test_events_of_a_type_that_is_not_known_are_told():
    event = {"id": "1", "source": "/a", "subject": "c", "time": "2026-01-02T00:00:00Z", "data": {}}
    Path("new.jsonl").write_text(json.dumps({"type": "purchase.gifted", **event}) + "\n")

    answer = CliRunner().invoke(main, ["replay", "new.jsonl", "--now", "2026-03-01"])

    assert answer.exit_code == 0, answer.output
    assert "1 event was not used: its type is not known to this version" in answer.stderr


def test_a_mapping_that_was_edited_is_kept_and_used_by_the_next_run():
    tried(TINY)
    mapping = Path("orders.try/mapping.toml")
    mapping.write_text(mapping.read_text().replace('currency = "USD"', 'currency = "KWD"'))
    edited = mapping.read_text()

    answer = tried(TINY)

    assert answer.exit_code == 0, answer.output
    assert "was edited: it is kept and used" in answer.output
    assert mapping.read_text() == edited
    assert '"currency":"KWD"' in Path("orders.try/profiles.jsonl").read_text()


def test_names_that_differ_before_the_format_have_folders_of_their_own():
    for name in ("sales.2024.csv", "sales.2025.CSV", "sales.TXT"):
        tried(TINY, name=name)
        Path(name).unlink()

    assert {path.name for path in Path().iterdir()} == {"sales.2024.try", "sales.2025.try", "sales.try"}


def test_the_instant_up_to_which_events_count_is_given_to_each_step():
    answer = tried(small_shop(), "--now", "2024-09-30")

    steps = [line for line in answer.output.splitlines() if line.startswith("$ stream ")]
    assert len(steps) > 4
    assert all("--now 2024-09-30T" in step for step in steps if "--suggest" not in step), steps
    last = max(json.loads(line)["time"] for line in Path("orders.try/alerts.jsonl").read_text().splitlines())
    assert last < "2024-10"


def test_a_result_of_an_earlier_run_does_not_pass_for_one_of_this_run():
    tried(small_shop())

    answer = tried(REVIEWS)

    assert answer.exit_code == 1, answer.output
    assert "model.json" not in visible("orders.try")
    assert not visible("orders.try") & {"report.html", "report.json"}


@pytest.mark.parametrize("spoil", ["foreign folder", "foreign file", "changed file", "file", "input inside"])
def test_what_it_did_not_write_is_never_overwritten(spoil):
    name = "orders.csv"
    folder = Path("orders.try")
    if spoil == "file":
        folder.write_text("mine")
    elif spoil == "foreign folder":
        folder.mkdir()
        (folder / "report.html").write_text("mine")
    elif spoil == "foreign file":
        tried(REVIEWS)
        (folder / "report.html").write_text("mine")
    elif spoil == "changed file":
        tried(TINY)
        (folder / "report.html").write_text("mine")
    else:
        folder.mkdir()
        name = "orders.try/orders.csv"

    answer = tried(TINY, name=name)

    assert answer.exit_code == 2, answer.output
    assert "name another folder by --out" in answer.output
    if spoil not in ("file", "input inside"):
        assert (folder / "report.html").read_text() == "mine"
    assert json.loads(Path("orders.try/.stream-try.json").read_text()) if spoil.startswith("ch") else True
