"""Which due timers come before an arrival, and which take turns with arrivals."""

from __future__ import annotations

from typing import Any

import pytest

from stream.engine import Arrival, Moment, Timer
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.due_timers import ARRIVALS_A_TIMER, AT_ONCE
from stream.engine.task.group_progress import Clocks
from tests.support.lane_pipe import ENGAGEMENT, PURCHASES, TPS, Pipe, event
from tests.support.toy_app import HOUR_MS, ToyCodec

NOW_MS = 500_000 * HOUR_MS
MANY = 10 * AT_ONCE
LAST = b"k%04d" % (MANY - 1)


class LivePipe(Pipe):
    """A lane that the wall clock moves; `wall_ms` is that clock."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        points = dict.fromkeys(TPS, CommitPoint(0, live=True))
        super().__init__(points, clock="wall", reference=None)
        self.wall_ms = NOW_MS
        self.delivery.progress.clocks = Clocks(lambda: self.wall_ms, lambda: self.wall_ms / 1_000)
        self.lane.due.at_once = at_once


def border(at_once: int = AT_ONCE, keys: int = MANY) -> LivePipe:
    """Very many keys, all of which have been silent for an hour at one instant, and nothing was looked at
    since then."""
    pipe = LivePipe(at_once)
    pipe.feed(PURCHASES, *(event(f"k{number:04}", NOW_MS) for number in range(keys)))
    pipe.moments()
    pipe.wall_ms = NOW_MS + HOUR_MS
    return pipe


def keys_of(moments: list[Moment], kind: type[Any]) -> list[bytes]:
    return [each.key for each in moments if isinstance(each, kind)]


def test_a_turn_gives_out_some_of_very_many_timers_and_the_lane_is_whole_in_between():
    pipe = border()

    turns = [len(keys_of(pipe.moments(), Timer)) for _ in range(3)]

    assert turns == [AT_ONCE] * 3
    assert not pipe.lane.busy
    assert pipe.lane.dirty
    assert pipe.lane.may_have_moments(), "the agent gets the lane again although nothing arrives"
    assert pipe.lane.due.count == MANY - 3 * AT_ONCE
    assert pipe.lane.due.since_ms == NOW_MS + HOUR_MS


def test_an_arrival_goes_ahead_of_the_timers_of_others_and_not_of_its_own():
    pipe = border()
    pipe.moments()
    pipe.feed(ENGAGEMENT, event("new", NOW_MS + HOUR_MS + 1), event(LAST.decode(), NOW_MS + HOUR_MS + 1))

    first = [each.key for each in pipe.moments()[:3]]

    assert first == [LAST, LAST, b"new"]  # its timer, then arrivals of one instant by key


def test_however_many_arrivals_come_one_timer_in_ten_has_its_turn():
    pipe = border(at_once=0)
    pipe.moments()
    for number in range(ARRIVALS_A_TIMER * MANY):
        pipe.feed(ENGAGEMENT, event("busy", NOW_MS + HOUR_MS + number))
        pipe.moments()

    assert pipe.lane.due.count == 0
    assert pipe.lane.due.since_ms is None


def test_what_waits_is_given_out_by_turns_alone_and_once():
    pipe = border(at_once=7, keys=100)
    given: list[bytes] = []
    while pipe.lane.may_have_moments():
        given += keys_of(pipe.moments(), Timer)

    assert given == [b"k%04d" % number for number in range(100)]
    assert pipe.moments() == []


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_in_a_history_every_timer_comes_before_the_first_arrival_that_is_not_earlier(clock: str):
    pipe = Pipe(clock=clock, reference=None)
    pipe.feed(PURCHASES, *(event(f"k{number:04}", HOUR_MS) for number in range(MANY)))
    pipe.feed(ENGAGEMENT, event("new", 2 * HOUR_MS))

    moments = pipe.moments()

    assert len(keys_of(moments, Timer)) == MANY
    assert isinstance(moments[-1], Arrival)


def test_before_an_event_that_concerns_all_rows_come_all_due_timers(monkeypatch: pytest.MonkeyPatch):
    pipe = border()
    decode = ToyCodec.decode

    def for_all(codec: ToyCodec, *record: Any) -> Arrival | None:
        arrival = decode(codec, *record)
        assert arrival is not None
        arrival.for_all = True
        return arrival

    monkeypatch.setattr(ToyCodec, "decode", for_all)
    pipe.feed(ENGAGEMENT, event("all", NOW_MS + HOUR_MS))
    moments = pipe.moments()

    assert len(keys_of(moments, Timer)) == MANY
    assert keys_of(moments, Arrival) == [b"all"]
    assert isinstance(moments[-1], Arrival)


def after_a_crash(second: Pipe, first: LivePipe) -> Pipe:
    """The next worker, which was given the commit points that the first one's flush had."""
    batch = first.lane.take_batch(10 * MANY)
    second.lane.start_at(batch.points)
    second.table.apply_changelog([(*row, None) for row in batch.rows])
    second.table.index()
    return second


def test_timers_that_waited_when_a_worker_died_are_given_out_by_the_next_one_without_an_arrival():
    first = border()
    given = keys_of(first.moments(), Timer)
    second = after_a_crash(LivePipe(), first)
    while second.lane.may_have_moments():
        given += keys_of(second.moments(), Timer)

    assert given == [b"k%04d" % number for number in range(MANY)]


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_a_lane_that_reads_a_history_again_gives_out_first_what_has_waited(clock: str):
    """Also a worker that was started with `clock="event"` where the one before was live."""
    first = border()
    given = keys_of(first.moments(), Timer)
    second = after_a_crash(Pipe(clock=clock, reference=None), first)
    progress = second.delivery.progress
    progress.history_s = progress.clocks.monotonic_s()

    assert second.lane.may_have_moments()
    given += keys_of(second.moments(), Timer)
    assert given == [b"k%04d" % number for number in range(MANY)]
