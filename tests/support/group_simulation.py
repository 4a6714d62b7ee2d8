"""Several workers of a group on one simulated broker and one simulated time: what moves the clocks of lanes.

Real: Delivery, Lane, LaneClock, GroupProgress, merge, Table, the toy application. Simulated: logs, offsets of
the group, changelogs, both clocks. Workers poll at random, stop, crash and are replaced; lanes move between
them. Flushes are whole here; engine_simulation.py has those that fail half-way.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from stream.engine import Peek, Timer
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.flush import ALL
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import ChangelogRow, Table
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.task.group_progress import Clocks, GroupProgress
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from tests.support.engine_model import Raw, fetched
from tests.support.toy_app import HOUR_MS, TOPICS, Counters, ToyCodec, ToyProcessor

PURCHASES, ENGAGEMENT, TICKS = TOPICS
PROCESSOR = ToyProcessor("out")
GROUP_LOOK_S, FLUSH_INTERVAL_S = 10.0, 5.0


def silence_ms(key: str) -> int:
    """After which silence the row of this key has a timer: an hour, a working day or some days."""
    return (1, 9, 60)[zlib.crc32(key.encode()) % 3] * HOUR_MS


class PatientCodec(ToyCodec):
    """The rows of the toy application, with timers that differ by key."""

    def timer_ms(self, state: Counters) -> int | None:
        return state.last_ms + silence_ms(state.key) if state.silences == 0 else None

    def peek(self, row: bytes) -> Peek:
        return Peek(self.timer_ms(self.decode_row(b"", row)), super().peek(row).outbox_flush)


def options(**more: Any) -> EngineOptions:
    """As a worker has them, with the wall clock."""
    return EngineOptions(
        app_id="group",
        bootstrap="nowhere:1",
        inputs=TOPICS,
        changelog="rows",
        **{"reference": PURCHASES, "ticks": TICKS, "clock": "wall", **more},
    )


class World:
    """Everything that outlives a worker, and the time."""

    def __init__(self, wall_ms: int, partitions: int) -> None:
        self.wall_ms = wall_ms
        self.partitions = partitions
        self.logs: dict[PartitionId, list[Raw]] = defaultdict(list)
        self.committed: CommitPoints = {}
        self.rows: dict[int, list[ChangelogRow]] = defaultdict(list)
        self.timers: dict[tuple[str, int], int] = {}
        """(key, time of the timer) -> when it was given out first, by the wall."""
        self.clocks = Clocks(lambda: self.wall_ms, lambda: self.wall_ms / 1_000)

    def publish(self, topic: str, key: str, time_ms: int, partition: int, **more: Any) -> None:
        """One record, readable from now on."""
        log = self.logs[PartitionId(topic, partition)]
        event = {"key": key, "time_ms": time_ms, **more}
        log.append(Raw(topic, partition, len(log), json.dumps(event).encode()))

    def tick(self, time_ms: int) -> None:
        """To every partition: purchases are complete until then."""
        for partition in range(self.partitions):
            self.publish(TICKS, f"tick-{partition}", time_ms, partition, complete_to_ms=time_ms)

    @property
    def all_committed(self) -> bool:
        points = self.committed
        return all(points.get(tp, CommitPoint(0)).offset == len(log) for tp, log in self.logs.items())


class Worker:
    """A worker process with some of the lanes. Without `stop` it has crashed."""

    def __init__(self, world: World, partitions: Sequence[int], how: EngineOptions) -> None:
        self.world = world
        self.delivery: Delivery[Counters] = Delivery(PatientCodec(), TICKS, GroupProgress(how, world.clocks))
        self.options = how
        self._looked_s = self._flushed_s = world.clocks.monotonic_s() - GROUP_LOOK_S
        for partition in partitions:
            self.delivery.open_lane(self._lane(partition))

    def _lane(self, partition: int) -> Lane[Counters]:
        world = self.world
        sources = [Source(topic, partition, self.options.max_pending) for topic in TOPICS]
        for source in sources:
            source.highwater = len(world.logs[source.tp])
        table = Table(PatientCodec(), MemoryStore(), max_hot_rows=1_000)
        table.apply_changelog(world.rows[partition])
        table.position = len(world.rows[partition])
        table.index()
        lane = Lane(
            partition,
            sources=sources,
            table=table,
            options=self.options,
            progress=self.delivery.progress,
            flush_if_due=_nothing,
        )
        lane.start_at({source.tp: world.committed.get(source.tp, CommitPoint(0)) for source in sources})
        return lane

    def run(self, limit: int | None = None) -> None:
        """One poll of at most `limit` records a partition, and what follows from it."""
        self._poll(limit)
        now_s = self.world.clocks.monotonic_s()
        if now_s - self._looked_s >= GROUP_LOOK_S:
            self._looked_s = now_s
            ours = self.delivery.lanes
            others = {tp: point for tp, point in self.world.committed.items() if tp.partition not in ours}
            ends = {tp: len(log) for tp, log in self.world.logs.items() if tp.partition not in ours}
            self.delivery.progress.note_committed(others)
            self.delivery.progress.note_elsewhere(ends, GROUP_LOOK_S)
        if now_s - self._flushed_s >= FLUSH_INTERVAL_S:
            self.flush()

    def _poll(self, limit: int | None) -> None:
        now_s, records = self.world.clocks.monotonic_s(), {}
        asked = self.delivery.to_fetch()
        for tp in asked:
            at = self.delivery.next_offset(tp)
            if found := self.world.logs[tp][at : None if limit is None else at + limit]:
                records[tp] = fetched(found)
        ends: dict[PartitionId, int | None] = {tp: len(self.world.logs[tp]) for tp in asked}
        touched = self.delivery.distribute(asked, records, ends, now_s).lanes
        for lane in self.delivery.lanes.values():
            if lane in touched or lane.may_have_moments():
                self._apply(lane)

    def _apply(self, lane: Lane[Counters]) -> None:
        for moment in lane.moments():
            if isinstance(moment, Timer):
                self.world.timers.setdefault((moment.key.decode(), moment.at_ms), self.world.wall_ms)
            PROCESSOR.apply(lane, moment)

    def flush(self) -> None:
        """Everything given out becomes durable and is committed."""
        self._flushed_s = self.world.clocks.monotonic_s()
        for lane in self.delivery.lanes.values():
            if lane.dirty:
                batch = lane.take_batch(ALL)
                self.world.rows[lane.partition] += [(key, row, None) for key, row in batch.rows]
                self.world.committed.update(batch.points)
                lane.note_durable(batch)

    def stop(self) -> None:
        """An orderly end."""
        self.flush()
        self.delivery.close_lanes()


def start_group(world: World, chance: random.Random, how: EngineOptions, workers: int) -> list[Worker]:
    """Workers that have the lanes among them, in any split."""
    shares: list[list[int]] = [[] for _ in range(workers)]
    for partition in range(world.partitions):
        shares[chance.randrange(workers)].append(partition)
    return [Worker(world, share, how) for share in shares]


async def _nothing() -> None:
    return


def silences(events: Sequence[tuple[str, int]], until_ms: int) -> set[tuple[str, int]]:
    """The timers that a replay gives out up to and including `until_ms`.

    `events`: (key, time) in order of time.
    """
    times: dict[str, list[int]] = defaultdict(list)
    for key, time_ms in events:
        times[key].append(time_ms)
    return {
        (key, before + silence_ms(key))
        for key, known in times.items()
        for before, after in zip(known, [*known[1:], until_ms + 1], strict=True)
        if before + silence_ms(key) <= min(after, until_ms)
    }
