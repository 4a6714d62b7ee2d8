"""No gap passes: what is fetched reaches the lanes complete, once and in order, or not at all."""

from dataclasses import replace
from typing import Any

from stream.engine.input.delivery import AT_END, Delivery
from stream.engine.partition_id import PartitionId
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from tests.support.delivered_lane import OPTIONS, TOPIC, TP, opened
from tests.support.engine_model import RawEvent, fetched, no_flush


def test_a_gap_is_not_believed_after_a_fetch_that_repeated_old_records() -> None:
    delivery, lane = opened()
    assert fetch(delivery, 0, 1, 2) == {}
    assert fetch(delivery, 7) == {TP: 3}

    assert fetch(delivery, 1, 2) == {}  # old records: they say nothing about the gap
    assert fetch(delivery, 7) == {TP: 3}

    assert fetch(delivery, 3, 4, 5, 6, 7) == {}
    assert lane.sources[0].expected == 8


def test_the_end_of_a_log_may_be_greater_than_its_last_offset_plus_one() -> None:
    delivery, lane = opened()
    source = lane.sources[0]

    delivery.distribute([TP], {TP: fetched([RawEvent(0), RawEvent(1)])}, {TP: 3}, 0.0)
    assert not source.caught_up  # offset 2 may be a record or a marker
    delivery.distribute([TP], {}, {TP: AT_END}, 0.0)
    assert source.caught_up
    delivery.distribute([TP], {}, {TP: 9}, 0.0)
    assert not source.caught_up


def test_behind_a_gap_at_the_end_of_a_log_there_is_more_to_read() -> None:
    delivery, lane = opened()

    result = delivery.distribute([TP], {TP: fetched([RawEvent(5)])}, {TP: AT_END}, 0.0)

    assert result.rewind == {TP: 0}
    assert not lane.sources[0].caught_up


def test_that_a_topic_is_no_longer_waited_for_is_reported_once() -> None:
    given_up: list[str] = []
    delivery, lane = opened()
    lane = Lane(
        0,
        sources=[Source(TOPIC, 0, 1000), Source("silent", 0, 1000)],
        table=lane.table,
        options=replace(OPTIONS, max_idle_s=0.0),
        progress=delivery.progress,
        flush_if_due=no_flush,
        on_give_up=given_up.append,
    )
    lane.sources[1].highwater = 7
    lane.sources[1].note_empty_poll(0.0)

    for _ in range(3):
        assert offsets(lane) == []

    assert given_up == ["silent"]


def offsets(lane: Lane[Any]) -> list[int]:
    return [moment.offset for moment in lane.moments()]  # type: ignore[union-attr]


def fetch(delivery: Delivery[Any], *found: int) -> dict[PartitionId, int]:
    return delivery.distribute([TP], {TP: fetched([RawEvent(at) for at in found])}, {TP: 100}, 0.0).rewind


def test_records_that_come_again_are_skipped() -> None:
    delivery, lane = opened()
    fetch(delivery, 0, 1)
    fetch(delivery, 1, 2)
    fetch(delivery, 0, 1)

    assert lane.sources[0].expected == 3
    assert [each.offset for each in lane.sources[0].pending] == [0, 1, 2]


def test_a_gap_between_two_fetches_is_fetched_again_and_nothing_behind_it_is_given_out() -> None:
    delivery, lane = opened(start=5)

    assert fetch(delivery, 8, 9) == {TP: 5}
    assert (lane.sources[0].applied, offsets(lane)) == (5, [])
    assert fetch(delivery, 5, 6, 7, 8) == {}
    assert lane.sources[0].expected == 9


def test_a_gap_that_is_there_again_after_a_second_fetch_is_in_the_log() -> None:
    delivery, lane = opened(start=5)

    assert fetch(delivery, 8) == {TP: 5}
    assert fetch(delivery, 8) == {}
    assert (lane.sources[0].expected, delivery.holes) == (9, 3)


def test_another_gap_than_the_first_is_not_believed() -> None:
    delivery, _ = opened(start=5)

    assert fetch(delivery, 8) == {TP: 5}
    assert fetch(delivery, 9) == {TP: 5}


def test_a_gap_is_not_believed_when_a_fetch_in_between_began_somewhere_else() -> None:
    delivery, _ = opened(start=5)

    assert fetch(delivery, 8) == {TP: 5}
    assert fetch(delivery, 3, 4) == {}  # the answer to an older request
    assert fetch(delivery, 8) == {TP: 5}


def test_a_closed_lane_gives_nothing() -> None:
    delivery, lane = opened()
    fetch(delivery, 0, 1)
    delivery.close_lanes()

    assert offsets(lane) == []
    assert delivery.to_fetch() == []
