"""Histories sent into running workers, and silent customers of small shops: what moves the clock of a lane.

The engine's lanes with simulated time (tests/support/group_simulation.py). Old rules are planted, and found.
"""

import random
from collections.abc import Iterator

import pytest

from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.lane_clock import LaneClock
from stream.engine.units import FOREVER_MS
from tests.support.group_simulation import (
    ENGAGEMENT,
    PURCHASES,
    Worker,
    World,
    options,
    silences,
    start_group,
)
from tests.support.toy_app import HOUR_MS

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS
WALL_MS = 20_000 * DAY_MS  # 4 October 2024, midnight
QUIET_S = 120.0
SEEDS = 20
Event = tuple[int, str, str, int]
"""Time, topic, key, partition."""
KeyTime = tuple[str, int]
"""Key, and the time of its timer."""


def seldom_buyers(chance: random.Random, partitions: int, topics: tuple[str, ...]) -> list[Event]:
    """A history that ended days ago: most keys are silent most of the time."""
    now_ms, events = WALL_MS - chance.randint(40, 400) * DAY_MS, []
    keys = [(f"key-{number}", chance.randrange(partitions)) for number in range(chance.randint(2, 30))]
    for _ in range(chance.randint(50, 300)):
        now_ms += chance.choice((1_000, MINUTE_MS, 20 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS))
        key, partition = chance.choice(keys)
        events.append((now_ms, chance.choice(topics), key, partition))
    return events


def sent(chance: random.Random, events: list[Event], longest_pause_s: float) -> Iterator[tuple[int, Event]]:
    """When each event can be read. Each topic has a sender with a pace of its own, which sends in order of
    time; what it sends to different partitions is up to two seconds on its way."""
    paces = {topic: chance.choice((0.2, 1.0, 5.0)) for _, topic, _, _ in events}
    sent_ms = {topic: WALL_MS + chance.randint(0, 2_000) for topic in paces}
    readable: dict[tuple[str, int], int] = {}
    arrivals: list[tuple[int, int, Event]] = []
    for number, event in enumerate(events):
        _, topic, _, partition = event
        pause_s = (
            longest_pause_s if chance.random() < 0.02 else paces[topic] * chance.choice((0, 0, 0, 0.1, 1, 3))
        )
        sent_ms[topic] += round(1_000 * pause_s)
        ready_ms = max(readable.get((topic, partition), 0), sent_ms[topic] + chance.randint(0, 2_000))
        readable[topic, partition] = ready_ms
        arrivals.append((ready_ms, number, event))
    for ready_ms, _, event in sorted(arrivals):
        yield ready_ms, event


def simulate_history(
    seed: int, topics: tuple[str, ...] = (PURCHASES,), pause_s: float = 3_600.0, **how: float
) -> tuple[set[KeyTime], set[KeyTime]]:
    """The timers of a history sent into running workers, and those of a replay of it."""
    chance = random.Random(seed)
    world = World(WALL_MS, chance.choice((1, 4, 12)))
    events = seldom_buyers(chance, world.partitions, topics)
    workers = start_group(world, chance, options(history_quiet_s=QUIET_S, **how), chance.randint(1, 3))
    for ready_ms, (time_ms, topic, key, partition) in sent(chance, events, pause_s):
        while world.wall_ms < ready_ms:
            world.wall_ms = min(ready_ms, world.wall_ms + chance.choice((100, 1_000, 4_000)))
            workers = step(chance, world, workers)
        world.publish(topic, key, time_ms, partition)
    for _ in range(60):
        world.wall_ms += 15_000
        for worker in workers:
            worker.run()
            worker.flush()
    assert world.all_committed
    return set(world.timers), silences([(key, time_ms) for time_ms, _, key, _ in events], events[-1][0])


def simulate_topics(seed: int) -> tuple[set[KeyTime], set[KeyTime]]:
    """The same of two topics; none pauses for as long as the merge wait."""
    how = {"merge_wait_s": 30.0, "stall_after_ms": FOREVER_MS // 2}
    return simulate_history(seed, (PURCHASES, ENGAGEMENT), pause_s=15.0, **how)


def step(chance: random.Random, world: World, workers: list[Worker]) -> list[Worker]:
    for worker in workers:
        if chance.random() < 0.8:
            worker.run(chance.choice((1, 3, None)))
    if chance.random() < 0.01:  # a rebalance: some leave in order, others are killed
        for worker in workers:
            if chance.random() < 0.5:
                worker.stop()
        return start_group(world, chance, workers[0].options, chance.randint(1, 3))
    return workers


@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_topic_sent_at_any_pace_gives_out_what_a_replay_does(seed):
    found, wanted = simulate_history(seed)

    assert found == wanted


@pytest.mark.parametrize("seed", range(SEEDS))
def test_so_do_several_topics_that_pause_no_longer_than_the_merge_wait(seed):
    found, wanted = simulate_topics(seed)

    assert found == wanted


class FollowsTheOthers(LaneClock):
    """As it was: a lane that has given out everything follows the newest purchase of all lanes."""

    @property
    def in_history(self) -> bool:
        return False


def test_a_clock_that_follows_other_lanes_is_found_out(monkeypatch):
    monkeypatch.setattr("stream.engine.task.lane.LaneClock", FollowsTheOthers)

    wrong = sum(found != wanted for found, wanted in map(simulate_history, range(10)))

    assert wrong >= 5


def test_a_merge_wait_that_does_not_look_at_the_senders_is_found_out(monkeypatch):
    monkeypatch.setattr(GroupProgress, "sent_until_ms", FOREVER_MS)

    wrong = sum(found != wanted for found, wanted in map(simulate_topics, range(10)))

    assert wrong >= 5


class SmallShop:
    """50 customers in 12 partitions: a history that ended three days ago, live events of customers of one
    partition only, then days with purchases, nights and weekends without, and restarts in between."""

    customers, partitions, stall_ms = 50, 12, 6 * HOUR_MS

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World(WALL_MS, self.partitions)
        self.how = options(history_quiet_s=QUIET_S, stall_after_ms=self.stall_ms)
        self.workers = start_group(self.world, self.chance, self.how, 3)
        self.bought: list[tuple[str, int]] = []
        self.read: list[tuple[int, int]] = []
        """(by the wall, the time of the purchase)."""
        self.longest_away_ms = 0

    def buy(self, customer: int, time_ms: int) -> None:
        self.world.publish(PURCHASES, f"c{customer}", time_ms, customer % self.partitions)
        self.bought.append((f"c{customer}", time_ms))
        self.read.append((self.world.wall_ms, time_ms))

    def pass_time(self, seconds: int) -> None:
        until_ms = self.world.wall_ms + 1_000 * seconds
        while self.world.wall_ms < until_ms:
            self.world.wall_ms = min(until_ms, self.world.wall_ms + 30_000)
            for worker in self.workers:
                worker.run()

    def restart(self) -> None:
        away_ms = self.chance.choice((0, 60_000, 600_000))
        for worker in self.workers:
            if self.chance.random() < 0.5:
                worker.stop()
        self.longest_away_ms = max(self.longest_away_ms, away_ms)
        self.world.wall_ms += away_ms
        self.workers = start_group(self.world, self.chance, self.how, self.chance.randint(1, 4))

    def play(self) -> None:
        history = sorted(WALL_MS - self.chance.randint(3 * DAY_MS, 60 * DAY_MS) for _ in range(400))
        for number, time_ms in enumerate(history):
            self.buy(number % 7 * 7 + self.chance.randrange(8), time_ms)
            if self.chance.random() < 0.2:
                self.pass_time(5)
        self.pass_time(3_600)
        for _ in range(5):  # live in one partition
            self.buy(self.partitions * self.chance.randrange(4), self.world.wall_ms)
            self.pass_time(600)
        for day in range(8):
            self.restart()
            for _ in range(10 if day not in {4, 5} else 0):
                self.buy(self.chance.randrange(self.customers), self.world.wall_ms)
                self.pass_time(self.chance.choice((60, 1_800, 5_000)))
                if self.chance.random() < 0.25:
                    self.restart()
                    self.pass_time(5_000)
            self.pass_time((WALL_MS - self.world.wall_ms) % DAY_MS // 1_000)
        self.buy(1, self.world.wall_ms)
        self.pass_time(600)

    def late(self, bound_ms: int) -> dict[tuple[str, int], float]:
        """The silences that were noticed too late, or never, and by how many seconds; none is held by a shop
        that sold nothing for `stall_ms`."""
        found = {}
        for key, at_ms in silences(self.bought, self.read[-1][1] + self.stall_ms):
            may_ms = max(
                at_ms,
                min(
                    wall
                    for wall, bought_ms in self.read
                    if bought_ms >= at_ms - self.stall_ms and (wall - bought_ms < HOUR_MS)
                ),
            )
            noticed_ms = self.world.timers.get((key, at_ms), FOREVER_MS)
            if (
                may_ms <= self.world.wall_ms - bound_ms
                and noticed_ms > may_ms + bound_ms + self.longest_away_ms
            ):
                found[key, at_ms] = (noticed_ms - may_ms) / 1_000
        return found


BOUND_MS = round(1_000 * QUIET_S) + 60_000


@pytest.mark.parametrize("seed", range(3))
def test_every_silent_customer_of_a_small_shop_is_noticed_in_time(seed):
    shop = SmallShop(seed)
    shop.play()

    assert shop.late(BOUND_MS) == {}
    assert shop.world.timers.keys() <= silences(shop.bought, FOREVER_MS)
    assert len(shop.world.timers) > 300


class OnlyItsOwn(LaneClock):
    """Tried before: a lane follows the wall only while its own records are live."""

    @property
    def in_history(self) -> bool:
        return self.time_ms is None or not self._progress.is_live(self.time_ms)


class ForgetsThatItWasLive(LaneClock):
    def start(self, points) -> None:
        super().start(points)
        self.live = False


@pytest.mark.parametrize("rule", [OnlyItsOwn, ForgetsThatItWasLive])
def test_clocks_that_freeze_idle_partitions_are_found_out(rule, monkeypatch):
    monkeypatch.setattr("stream.engine.task.lane.LaneClock", rule)
    shop = SmallShop(0)
    shop.play()

    assert shop.late(BOUND_MS)
