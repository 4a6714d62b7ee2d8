"""One lane: what stalls it, what moves its clock, and what it gives out again after a crash."""

from typing import Any

import pytest

from stream.engine import Arrival, Moment, Timer, Unsent
from stream.engine.task.commit_point import CommitPoint
from tests.support.lane_pipe import ENGAGEMENT, FEEDBACK, PURCHASES, TPS, Pipe, event
from tests.support.toy_app import HOUR_MS, Counters, ToyCodec


def tick(time_ms: int) -> dict[str, Any]:
    return {"key": "clock", "time_ms": time_ms, "complete_to_ms": time_ms}


def timers(moments: list[Moment]) -> list[tuple[bytes, int]]:
    return [(each.key, each.at_ms) for each in moments if isinstance(each, Timer)]


def arrivals(moments: list[Moment]) -> list[tuple[str, int | None]]:
    return [(each.topic, each.time_ms) for each in moments if isinstance(each, Arrival)]


def test_input_far_ahead_of_a_silent_reference_source_is_held_until_that_goes_on() -> None:
    pipe = Pipe()
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.feed(ENGAGEMENT, event("b", 2 * HOUR_MS), event("b", 9 * HOUR_MS))

    assert arrivals(pipe.moments()) == [(PURCHASES, HOUR_MS), (ENGAGEMENT, 2 * HOUR_MS)]
    assert pipe.lane.stalled
    assert pipe.lane.clock_ms == 2 * HOUR_MS

    pipe.feed(PURCHASES, event("a", 8 * HOUR_MS))

    assert arrivals(pipe.moments()) == [(PURCHASES, 8 * HOUR_MS), (ENGAGEMENT, 9 * HOUR_MS)]
    assert not pipe.lane.stalled


@pytest.mark.parametrize(("ahead_ms", "held"), [(2 * HOUR_MS, False), (2 * HOUR_MS + 1, True)])
def test_input_exactly_as_far_ahead_as_allowed_is_not_held(ahead_ms: int, held: bool) -> None:
    pipe = Pipe()
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.feed(ENGAGEMENT, event("b", HOUR_MS + ahead_ms))

    assert len(arrivals(pipe.moments())) == (1 if held else 2)
    assert pipe.lane.stalled is held


def test_held_input_leads_to_the_same_as_if_it_had_not_been_held() -> None:
    held, free = Pipe(), Pipe(stall_after_ms=1_000 * HOUR_MS)
    given: dict[Pipe, list[Moment]] = {held: [], free: []}
    for pipe in (held, free):
        pipe.feed(PURCHASES, event("a", HOUR_MS))
        pipe.feed(ENGAGEMENT, event("b", 2 * HOUR_MS), event("b", 9 * HOUR_MS))
        if pipe is held:
            given[pipe] += pipe.moments()
        pipe.feed(PURCHASES, event("a", 8 * HOUR_MS))
        given[pipe] += pipe.moments()

    assert [str(each) for each in given[held]] == [str(each) for each in given[free]]


def test_a_tick_moves_the_clock_and_lets_timers_come() -> None:
    pipe = Pipe()
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.moments()
    pipe.feed(FEEDBACK, tick(2 * HOUR_MS - 1))
    before = timers(pipe.moments())
    pipe.feed(FEEDBACK, tick(2 * HOUR_MS))

    assert (before, timers(pipe.moments())) == ([], [(b"a", 2 * HOUR_MS)])
    assert pipe.lane.clock_ms == 2 * HOUR_MS


def test_a_tick_says_that_the_reference_source_is_complete_until_then() -> None:
    pipe = Pipe()
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.feed(ENGAGEMENT, event("b", 20 * HOUR_MS))
    pipe.moments()
    stalled = pipe.lane.stalled
    pipe.feed(FEEDBACK, tick(19 * HOUR_MS))
    pipe.moments()

    assert (stalled, pipe.lane.stalled) == (True, False)


def test_by_event_time_the_clock_stands_still_while_no_record_comes() -> None:
    pipe = Pipe(clock="event")
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.moments()

    assert pipe.moments() == []
    assert not pipe.lane.may_have_moments()


def row_with_outbox(flush: int) -> bytes:
    return ToyCodec().encode_row(Counters("a", 1, 0, HOUR_MS, 0, {PURCHASES: 1}, ["a:count:10"], flush))


@pytest.mark.parametrize(("outbox_flush", "again"), [(7, [Unsent(b"a")]), (6, [])])
def test_an_outbox_is_sent_again_when_its_flush_was_not_committed(
    outbox_flush: int, again: list[Moment]
) -> None:
    pipe = Pipe(dict.fromkeys(TPS, CommitPoint(0, flush=6)))
    pipe.table.apply_changelog([(b"a", row_with_outbox(outbox_flush), None)])
    pipe.table.index()

    assert pipe.lane.may_have_moments()
    assert not pipe.lane.dirty, "a flush before the outbox is sent again would commit its number"
    assert pipe.moments() == again
    assert [each.value for each in pipe.lane.outgoing] == [b"a:count:10"] * len(again)
    assert pipe.moments() == []


def test_rows_of_a_replaced_writer_do_not_count_and_are_overwritten() -> None:
    pipe = Pipe()
    codec = ToyCodec()
    new, old = codec.encode_row(Counters("a", 5)), codec.encode_row(Counters("a", 4))
    pipe.table.apply_changelog(
        [(b"a", old, 3), (b"fence", None, 4), (b"a", new, 4), (b"a", old, 3), (b"b", old, 3), (b"c", old, 3)]
    )
    pipe.table.apply_changelog([(b"c", new, 4)])
    pipe.table.index()
    pipe.moments()

    assert pipe.table.epoch == 4
    assert dict(pipe.table.take_all()) == {b"a": new, b"b": None}


def test_rows_without_an_epoch_always_count() -> None:
    pipe = Pipe()
    row = ToyCodec().encode_row(Counters("a", 5))
    pipe.table.apply_changelog([(b"b", None, 9), (b"a", row, None)])

    assert pipe.lane.get(b"a") == Counters("a", 5)
    assert not pipe.table.void


def test_a_closed_lane_gives_out_nothing() -> None:
    pipe = Pipe()
    pipe.feed(PURCHASES, event("a", HOUR_MS))
    pipe.lane.close()

    assert pipe.moments() == []


def test_every_commit_names_the_topic_that_its_offset_is_of() -> None:
    pipe = Pipe({tp: CommitPoint(0, topic_id=f"id of {tp.topic}") for tp in TPS})
    pipe.feed(PURCHASES, event("a", HOUR_MS), event("b", HOUR_MS))
    pipe.moments()

    for row_limit in (1, 1):  # the first batch holds half of the checkpoint, the second one the rest
        batch = pipe.lane.take_batch(row_limit)
        pipe.lane.note_durable(batch)
        named = {tp: point.topic_id for tp, point in batch.points.items()}
        assert named == {tp: f"id of {tp.topic}" for tp in TPS}
    assert pipe.lane.committed_offset(PURCHASES) == 2
