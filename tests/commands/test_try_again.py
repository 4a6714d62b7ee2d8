"""`stream try` that fails: old results stay, nothing is left behind, and one line says what to do."""

import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from tests.support.small_shop import small_shop
from tests.support.tried import REVIEWS, TINY, tried, visible

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

FOO = "foo,bar\n1,2\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (FOO, ()),
        ("", ()),
        (TINY, ("--mapping", "missing.toml")),
        (TINY, ("--mapping", "bad.toml")),
        (TINY, ("--mapping", "other.toml")),
    ],
    ids=["unknown columns", "empty file", "mapping missing", "mapping spoilt", "mapping of another file"],
)
def test_results_of_the_run_before_stay_until_there_are_new_events(text, options):
    tried(TINY)
    before = contents("orders.try")
    Path("bad.toml").write_text("[columns\n")
    Path("other.toml").write_text('[columns]\ncustomer = "who"\ntime = "when"\n')

    answer = tried(text, *options)

    assert answer.exit_code == 2, answer.output
    assert contents("orders.try") == before
    assert answer.stdout.splitlines()[-2:] == [
        "So nothing was imported.",
        "The results of the run before are still there.",
    ]
    assert tried(TINY).exit_code == 0, "the folder is still known as ours"


def test_where_no_line_becomes_an_event_the_old_results_and_what_to_correct_are_there():
    tried(TINY)
    before = contents("orders.try")
    Path("cents.toml").write_text(
        '[columns]\ncustomer = "Email"\ntime = "Total"\norder_total = "Total"\n'
        '[constants]\ncurrency = "EUR"\n'
    )

    answer = tried(TINY, "--mapping", "cents.toml")
    after = contents("orders.try")

    assert answer.exit_code == 1, answer.output
    assert "Correct cents.toml, then run the same command again." in answer.output
    assert "still there" in answer.output
    assert after["alerts.jsonl"] == before["alerts.jsonl"]
    assert after["events.jsonl.gz"] == before["events.jsonl.gz"]
    assert after["events.rejects.jsonl"]


@pytest.mark.parametrize("text", [FOO, ""])
def test_no_folder_stays_behind_a_run_that_could_not_begin(text):
    answer = tried(text, "--out", "new/deep")

    assert answer.exit_code == 2, answer.output
    assert {path.name for path in Path().iterdir()} == {"orders.csv"}


def test_a_run_that_was_killed_gives_the_old_results_back():
    tried(TINY)
    before = contents("orders.try")
    Path("orders.try/.before").mkdir()
    for name in ("alerts.jsonl", "events.jsonl.gz"):
        Path("orders.try", name).rename(Path("orders.try/.before", name))

    answer = tried(FOO)

    assert answer.exit_code == 2, answer.output
    assert contents("orders.try") == before


@pytest.mark.parametrize("out", ["file/below", "/proc/nothing", "/dev/null"])
def test_a_folder_that_cannot_be_made_is_one_line(out):
    Path("file").write_text("mine")

    answer = tried(TINY, "--out", out)

    assert answer.exit_code == 2, answer.output
    assert answer.stderr.count("\n") <= 4
    assert "out" in answer.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_line():
    Path("locked").mkdir(mode=0o500)

    answer = tried(TINY, "--out", "locked/here")

    assert answer.exit_code == 2, answer.output
    assert "name another folder by --out" in answer.stderr


def test_a_file_without_money_ends_with_that_as_its_result_and_exit_code_1():
    answer = tried(
        "Order,Date,Email\n" + "".join(f"{n},2026-01-{n:02d},p{n % 3}@x.org\n" for n in range(1, 29))
    )

    assert answer.exit_code == 1, answer.output
    assert "RESULT: no purchase has a price" in answer.output
    assert "no alert can ever be raised" in answer.output
    assert "the column of the money above all" in answer.output


def test_a_file_of_reviews_alone_says_so_too():
    answer = tried(REVIEWS)

    assert answer.exit_code == 1, answer.output
    assert "no alert can ever be raised" in answer.output


def test_the_help_says_what_exit_code_1_means():
    answer = CliRunner().invoke(main, ["try", "--help"])

    assert "no purchase has a price" in " ".join(answer.output.split())


def test_the_command_to_go_on_with_is_one_line_and_as_of_the_last_event():
    answer = tried(small_shop())
    lines = answer.stdout.splitlines()
    command = next(line for line in lines if line.startswith("  stream explain "))

    again = CliRunner().invoke(main, shlex.split(command)[1:])

    assert " --at 20" in command
    assert again.exit_code == 0, again.output
    first = next(line for line in lines if ": new alert" in line or "more urgent" in line)
    assert first in again.output
    assert "Open alert since" in again.output


def test_a_customer_without_an_open_alert_is_said_to_have_none():
    tried(small_shop())
    names = Path("orders.try/profiles.jsonl").read_text().splitlines()
    quiet = next(line for line in names if '"episodes"' not in line)
    customer = quiet.split('"customer":"')[1].split('"')[0]

    answer = CliRunner().invoke(main, ["explain", customer, "--events", "orders.try/events.jsonl.gz"])

    assert "No alert is open." in answer.output


def test_what_is_visible_after_a_second_run_is_of_the_second_run():
    tried(small_shop())
    tried(REVIEWS)

    assert visible("orders.try") == {
        *("mapping.toml", "events.jsonl.gz", "events.rejects.jsonl", "profiles.jsonl", "alerts.jsonl")
    }
