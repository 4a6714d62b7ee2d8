"""A line of the future is rejected with its time, as of an instant that a stopped import keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.files.output.journal import Journal
from tests.support.builders import at
from tests.support.importing import HEADER, INVOICES, imported

LINES = (
    "1,mug,1,2024-01-05 10:00,2.00,ann\n"
    "2,mug,1,2087-01-05 10:00,2.00,ann\n"
    "C1,mug,-1,2087-01-06 10:00,2.00,ann\n"
)


def test_orders_and_returns_of_the_future_are_rejected_with_their_time(tmp_path):
    found = imported(tmp_path, HEADER + LINES, now_ms=at(30))

    assert [event["time"] for event in found.events] == ["2024-01-05T10:00:00Z"]
    assert found.reasons() == [(3, "time_in_future"), (4, "time_in_future")]
    assert found.rejects[0]["detail"] == (
        "2087-01-05T10:00:00.000Z is more than 5 minutes after --now 2024-01-31T00:00:00.000Z"
    )


def test_the_as_of_time_is_an_argument_and_in_the_summary(tmp_path):
    (tmp_path / "lines.csv").write_text(HEADER + LINES)
    (tmp_path / "mine.toml").write_text(INVOICES)
    words = ["import", str(tmp_path / "lines.csv"), "--mapping", str(tmp_path / "mine.toml")]
    words += ["--out", str(tmp_path / "events.jsonl"), "--json"]

    by_clock = json.loads(CliRunner().invoke(main, words).stdout)
    later = json.loads(CliRunner().invoke(main, [*words, "--now", "2087-02-01"]).stdout)

    assert by_clock["reasons"] == {"time_in_future": 2}
    assert later["reasons"] == {}
    assert later["now"] == "2087-02-01T00:00:00.000Z"


@pytest.mark.parametrize(("other", "now_ms"), [("mine", at(1)), ("another", at(9))])
def test_an_import_that_continues_keeps_the_as_of_time_of_its_beginning(tmp_path: Path, other, now_ms):
    Journal(tmp_path / "journal.json", "mine", at(1)).write(7)

    journal = Journal(tmp_path / "journal.json", other, at(9))

    assert journal.now_ms == now_ms
