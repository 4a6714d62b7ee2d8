"""Events after the as-of time are set aside as in a worker; a few far from the rest are named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.units import DAY_MS
from stream.recording.far_events import far_from_the_rest
from stream.recording.recording import Recording
from stream.wire import FUTURE_TOLERANCE_MS, Reason, decode, encode_event
from tests.support.builders import START_MS, at, bought

DAYS = [DAY_MS * day for day in range(100)]
YEAR = 365 * DAY_MS


def test_one_event_years_after_the_rest_and_one_before_are_far_from_it():
    assert far_from_the_rest([*DAYS, 10 * YEAR]) == [100]
    assert far_from_the_rest([-10 * YEAR, *DAYS]) == [0]
    assert far_from_the_rest([-10 * YEAR, -9 * YEAR, *DAYS, 5 * YEAR, 10 * YEAR]) == [0, 1, 102, 103]


@pytest.mark.parametrize(
    "times",
    [
        [],
        [0],
        DAYS,
        [*DAYS, DAYS[-1] + 30 * DAY_MS],  # a pause of a month is none of a mistyped year
        [*DAYS[:10], 10 * YEAR],  # of few events none is called far
        [*DAYS, *(10 * YEAR + day for day in DAYS[:50])],  # half a history is no slip
        [day * 40 for day in [*DAYS, DAYS[-1] + 9 * DAY_MS]],  # seldom events: the gap is in proportion
    ],
)
def test_what_is_in_proportion_is_not_far_from_the_rest(times):
    assert far_from_the_rest(times) == []


@given(
    times=st.lists(st.integers(0, 3_000 * DAY_MS), max_size=60).map(sorted),
    moved=st.integers(-YEAR, YEAR),
)
def test_far_events_are_few_at_the_ends_and_do_not_depend_on_when_the_history_was(times, moved):
    far = far_from_the_rest(times)

    assert len(far) <= 2 * (len(times) // 20)
    assert far_from_the_rest([at_ms + moved for at_ms in times]) == far
    middle = [place for place in range(len(times)) if place not in far]
    assert middle == list(range(middle[0], middle[-1] + 1)) if middle else not times


@example(ahead_ms=FUTURE_TOLERANCE_MS, part_us=400)
@example(ahead_ms=FUTURE_TOLERANCE_MS, part_us=600)
@given(ahead_ms=st.integers(-2 * FUTURE_TOLERANCE_MS, 2 * FUTURE_TOLERANCE_MS), part_us=st.integers(0, 999))
def test_a_recording_sets_aside_exactly_what_a_worker_rejects_as_in_the_future(
    tmp_path_factory, ahead_ms, part_us
):
    now_ms = at(10)
    event = bought((now_ms + ahead_ms - START_MS) / DAY_MS, event_id="e")
    event = replace(event, time=event.time + timedelta(microseconds=part_us))
    value = encode_event(event)
    path: Path = tmp_path_factory.mktemp("future") / "events.jsonl"
    path.write_bytes(value + b"\n")

    recording = Recording([path], now_ms=now_ms)
    kept = list(recording.events())

    by_worker = decode("purchases", b"c", value, now_ms=now_ms)
    assert (by_worker == event) == (kept == [event])
    assert [line.reason for line in recording.unreadable] == ([] if kept else [Reason.TIME_IN_FUTURE])
    assert len(recording.in_future) == 1 - len(kept)
