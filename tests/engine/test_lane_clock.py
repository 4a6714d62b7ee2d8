"""What moves the clock of a lane while nothing arrives: the rules of task/lane_clock.py, one by one.

Each test is a worker with simulated time (tests/support/group_simulation.py); test_histories.py has whole
groups of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.group_progress import LIVE_WITHIN_MS
from tests.support.group_simulation import (
    ENGAGEMENT,
    PURCHASES,
    PatientCodec,
    Worker,
    World,
    options,
    silence_ms,
)
from tests.support.toy_app import HOUR_MS

QUIET_S = 100
DAY_MS = 24 * HOUR_MS
NOW_MS = 20_000 * DAY_MS
LONG_AGO_MS = NOW_MS - 30 * DAY_MS
ANNE = next(name for name in ("anne", "anna", "ann", "hanna") if silence_ms(name) == HOUR_MS)
"""Has a timer after an hour of silence."""


class Shop:
    """A world with two partitions and one worker that has them; `anne` is a customer in partition 0."""

    def __init__(self, *, live: bool = False, partitions: tuple[int, ...] = (0, 1), **how: Any) -> None:
        self.world = World(NOW_MS, 2)
        if live:
            for partition in (0, 1):
                tp = PartitionId(PURCHASES, partition)
                self.world.committed[tp] = CommitPoint(0, flush=1, live=True)
        self.how = options(history_quiet_s=QUIET_S, stall_after_ms=6 * HOUR_MS, **how)
        self.worker = Worker(self.world, partitions, self.how)
        self.worker.run()

    def buy(self, time_ms: int, partition: int = 0, key: str = ANNE, topic: str = PURCHASES) -> None:
        self.world.publish(topic, key, time_ms, partition)
        self.worker.run()

    def wait(self, seconds: float) -> None:
        self.world.wall_ms += round(1_000 * seconds)
        self.worker.run()

    def restart(self) -> None:
        partitions = sorted(self.worker.delivery.lanes)
        self.worker.stop()
        self.worker = Worker(self.world, partitions, self.how)
        self.worker.run()

    def fired(self) -> list[int]:
        """The times of anne's timers that were given out."""
        return sorted(at_ms for key, at_ms in self.world.timers if key == ANNE)

    def live(self, partition: int = 0) -> bool:
        return self.worker.delivery.lanes[partition].clock.live


def test_in_a_history_only_its_own_records_move_a_lane():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.buy(LONG_AGO_MS + DAY_MS, partition=1, key="other")
    shop.wait(QUIET_S - 1)
    assert shop.fired() == []

    shop.buy(LONG_AGO_MS + DAY_MS + 1)
    assert shop.fired() == [LONG_AGO_MS + HOUR_MS]


@pytest.mark.parametrize(("newest_ms", "fires"), [(HOUR_MS, True), (HOUR_MS - 1, False)])
def test_while_no_input_brings_anything_a_lane_goes_to_the_newest_record_of_all_lanes(newest_ms, fires):
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.buy(LONG_AGO_MS + newest_ms, partition=1, key="other")
    shop.wait(QUIET_S)
    shop.wait(10 * DAY_MS / 1_000)

    assert shop.fired() == ([LONG_AGO_MS + HOUR_MS] if fires else [])


def test_a_record_in_any_partition_ends_the_quiet():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.buy(LONG_AGO_MS + DAY_MS, partition=1, key="other")
    for _ in range(5):
        shop.wait(QUIET_S - 1)
        shop.buy(LONG_AGO_MS, partition=1, key="late", topic=ENGAGEMENT)

    assert shop.fired() == []


def test_a_worker_that_has_just_started_waits_for_the_quiet_itself():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.buy(LONG_AGO_MS + DAY_MS, partition=1, key="other")
    shop.wait(QUIET_S - 1)
    shop.restart()
    shop.wait(QUIET_S - 1)
    assert shop.fired() == []
    shop.wait(1)
    assert shop.fired() == [LONG_AGO_MS + HOUR_MS]


def test_beside_busy_lanes_an_idle_one_follows_after_twenty_times_the_quiet_at_most():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    seconds = []
    for minutes in range(60):
        shop.buy(LONG_AGO_MS + DAY_MS + minutes, partition=1, key="other")
        shop.wait(60)
        if shop.fired():
            seconds.append(60 * (minutes + 1))

    assert 10 * QUIET_S <= seconds[0] <= 20 * QUIET_S + 60


def test_a_lane_in_a_history_becomes_live_when_purchases_are_live_elsewhere():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.wait(QUIET_S)
    shop.buy(shop.world.wall_ms - LIVE_WITHIN_MS, partition=1, key="other")
    assert (shop.live(), shop.fired()) == (True, [LONG_AGO_MS + HOUR_MS])


def test_but_not_before_it_has_read_no_history_for_the_quiet():
    shop = Shop()
    shop.wait(QUIET_S - 1)
    shop.buy(LONG_AGO_MS)
    shop.buy(NOW_MS, partition=1, key="other")
    shop.wait(QUIET_S - 1)
    assert (shop.live(), shop.fired()) == (False, [])
    shop.wait(1)
    assert (shop.live(), shop.fired()) == (True, [LONG_AGO_MS + HOUR_MS])


def test_the_last_hour_of_a_history_does_not_let_the_wall_overtake_what_is_on_its_way():
    shop = Shop()
    shop.wait(QUIET_S)
    shop.buy(NOW_MS - 5 * HOUR_MS)
    shop.buy(NOW_MS - HOUR_MS // 2, partition=1, key="other")
    shop.wait(QUIET_S / 2)
    shop.buy(NOW_MS - 4 * HOUR_MS - 1)

    assert shop.fired() == []


def test_a_purchase_that_is_just_too_old_makes_nobody_live():
    shop = Shop()
    shop.wait(QUIET_S)
    shop.buy(shop.world.wall_ms - LIVE_WITHIN_MS - 1)
    shop.wait(100 * QUIET_S)

    assert not shop.live()


def test_a_tick_of_now_stands_for_a_live_purchase():
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.wait(QUIET_S)
    shop.world.tick(shop.world.wall_ms)
    shop.worker.run()

    assert shop.fired() == [LONG_AGO_MS + HOUR_MS]
    assert [shop.live(0), shop.live(1)] == [True, True]


def test_a_live_lane_follows_the_wall_however_long_it_is_idle_also_after_a_restart():
    shop = Shop(live=True)
    shop.buy(NOW_MS)
    for _ in range(10):
        shop.wait(6 * 60)
        shop.restart()

    assert shop.fired() == [NOW_MS + HOUR_MS]


def test_that_a_lane_is_live_is_committed_although_nothing_else_changed():
    shop = Shop()
    shop.wait(QUIET_S)
    shop.buy(NOW_MS, partition=1, key="other")
    shop.worker.flush()

    assert shop.world.committed[PartitionId(PURCHASES, 0)].live
    assert not shop.worker.delivery.lanes[0].dirty


def test_by_the_wall_the_clock_waits_while_input_is_behind():
    shop = Shop(live=True)
    shop.buy(NOW_MS)
    engagement = shop.worker.delivery.lanes[0].sources[1]
    engagement.highwater = 1  # one more that was not fetched yet
    lane = shop.worker.delivery.lanes[0]
    shop.world.wall_ms += 2 * HOUR_MS

    assert lane.clock.idle_limit_ms() is None


def test_by_the_wall_the_clock_does_not_run_ahead_of_a_silent_reference_source():
    shop = Shop(live=True)
    shop.buy(NOW_MS)
    shop.wait(100 * 3_600)

    assert shop.worker.delivery.lanes[0].clock_ms == NOW_MS + 6 * HOUR_MS


def test_after_a_stall_the_backlog_of_the_source_is_the_clock_of_lanes_that_were_live():
    shop = Shop(live=True)
    shop.buy(NOW_MS)
    shop.buy(NOW_MS, partition=1, key="other")
    shop.wait(3 * 24 * 3_600)  # six hours of it pass for the lanes, then purchases count as stalled
    before = shop.fired()
    shop.buy(NOW_MS + 8 * HOUR_MS)
    for hours in range(9, 60):
        shop.buy(NOW_MS + hours * HOUR_MS, partition=1, key="other")
    assert shop.fired() == before, "anne's next purchase may be on its way"
    shop.buy(NOW_MS + 9 * HOUR_MS)
    shop.buy(NOW_MS + 60 * HOUR_MS, partition=1, key="other")
    shop.wait(QUIET_S)

    assert shop.fired() == [*before, NOW_MS + 9 * HOUR_MS, NOW_MS + 10 * HOUR_MS]


def test_by_event_time_a_lane_never_becomes_live_and_keeps_what_it_was():
    shop = Shop(clock="event")
    shop.wait(QUIET_S)
    shop.buy(NOW_MS)
    shop.wait(10 * 3_600)
    assert (shop.live(), shop.fired()) == (False, [])

    shop = Shop(clock="event", live=True)
    shop.buy(NOW_MS)
    shop.worker.flush()
    assert shop.world.committed[PartitionId(PURCHASES, 0)].live


def test_a_worker_with_idle_partitions_hears_of_purchases_by_what_others_commit():
    shop = Shop(partitions=(0,))
    shop.buy(LONG_AGO_MS)
    shop.wait(QUIET_S)
    other = Worker(shop.world, [1], shop.how)
    shop.world.publish(PURCHASES, "other", shop.world.wall_ms, 1)
    other.run()
    shop.wait(10)
    assert not shop.live()
    other.flush()
    shop.wait(10)

    assert (shop.live(), shop.fired()) == (True, [LONG_AGO_MS + HOUR_MS])


def test_what_others_commit_ends_the_quiet_and_so_does_no_answer():
    shop = Shop(partitions=(0,))
    shop.buy(LONG_AGO_MS)
    other = Worker(shop.world, [1], shop.how)
    for minutes in range(5):
        shop.world.publish(PURCHASES, "other", LONG_AGO_MS + DAY_MS + minutes, 1)
        other.run()
        other.flush()
        shop.wait(QUIET_S - 15)
    for _ in range(5):
        shop.worker.delivery.progress.note_unknown()
        shop.wait(QUIET_S - 15)
    assert shop.fired() == []
    shop.wait(QUIET_S)
    assert shop.fired() == [LONG_AGO_MS + HOUR_MS]


def test_the_codec_of_the_simulation_peeks_what_it_decodes():
    codec = PatientCodec()
    shop = Shop()
    shop.buy(LONG_AGO_MS)
    shop.worker.flush()
    ((_, row, _),) = shop.world.rows[0]

    assert row is not None
    assert codec.peek(row).timer_ms == LONG_AGO_MS + HOUR_MS
