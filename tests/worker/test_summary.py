"""One line a minute, and one at the end."""

from collections import Counter

import pytest
from structlog.testing import capture_logs

from stream.worker.monitoring.summary import EVERY_S, WorkSummary
from tests.support.fed_engine import Now


@pytest.fixture
def world():
    totals, clock, waiting = Counter[str](), Now(), [(0, 0.0)]
    return totals, clock, waiting, WorkSummary(totals, lambda: waiting[0], clock)


def test_a_minute_is_told_by_what_is_new_in_it(world):
    totals, clock, waiting, summary = world
    with capture_logs() as lines:
        for events, alerts in ((100, 2), (50, 0)):
            totals.update(events=events, alerts=alerts)
            waiting[0] = (7, 0.25)
            clock.seconds += EVERY_S
            summary.check()
            summary.check()

    assert [(line["events"], line["alerts"], line["dead_letters"]) for line in lines] == [
        (100, 2, 0),
        (50, 0, 0),
    ]
    assert (lines[0]["waiting_records"], lines[0]["waiting_s"]) == (7, 0.2)
    assert lines[0]["event"] == "the last minute"


def test_a_minute_without_events_is_told_only_when_records_wait(world):
    _, clock, waiting, summary = world
    with capture_logs() as lines:
        clock.seconds += EVERY_S
        summary.check()
        assert lines == []
        waiting[0] = (1, 90.0)
        clock.seconds += EVERY_S
        summary.check()

    assert [line["waiting_s"] for line in lines] == [90.0]


def test_the_last_line_tells_the_whole_run(world):
    totals, clock, _, summary = world
    totals.update(events=5, dead_letters=1)
    clock.seconds += 12
    with capture_logs() as lines:
        summary.end()

    assert lines == [
        {"event": "stopping", "events": 5, "alerts": 0, "dead_letters": 1, "ran_s": 12, "log_level": "info"}
    ]
