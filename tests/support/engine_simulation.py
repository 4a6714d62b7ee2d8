"""The engine's lanes, delivery and flusher on a simulated broker that fails at any step. Seeded, no I/O.

Real: Delivery, Lane, Table, merge, Flusher, the toy application. Simulated: logs, the offsets of the group, a
producer whose records are acknowledged one by one, transactions, crashes, lost fetches, zombies. A worker may
be frozen while another one takes over. With at least once it wakes up, and what it had written arrives late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

from stream.engine.codec import Moment
from stream.engine.failure import FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.flush import ALL, Flusher
from stream.engine.partition_id import PartitionId
from stream.engine.state.epoch import FENCE_KEY
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from tests.support.engine_model import PARTITIONS, Broker, ModelCommitter, Raw, fetched
from tests.support.toy_app import TOPICS, Counters, ToyCodec, ToyProcessor

CODEC = ToyCodec()
PROCESSOR = ToyProcessor("out")
FOREVER_S = 1e12


class Piecemeal(Flusher):
    """Flushes take some of the lanes that are due, and rarely all of their rows."""

    chance: random.Random

    def _lanes_due(self) -> tuple[list[Lane[Any]], int]:
        lanes, _ = super()._lanes_due()
        return self.chance.sample(lanes, self.chance.randint(0, len(lanes))), self.chance.choice(
            (0, 1, 2, ALL)
        )


class Worker:
    """A worker process: what it holds is lost when it is dropped."""

    def __init__(
        self, broker: Broker, delivery: type[Delivery[Any]], committer: type[ModelCommitter]
    ) -> None:
        broker.generation += 1
        self.broker = broker
        self.dead = False
        self.delivery: Delivery[Counters] = delivery(CODEC, None, GroupProgress(OPTIONS))
        self.committer = committer(broker, broker.generation, self.delivery.lanes)
        self.flusher = Piecemeal(
            options=OPTIONS,
            delivery=self.delivery,
            committer=self.committer,
            until_owned=self._until_owned,
            fail=FailStop(exit=self._die),
        )
        self.flusher.chance = broker.chance
        self.under_way: tuple[Lane[Counters], Iterator[Moment]] | None = None
        self.position: dict[PartitionId, int] = {}
        self.sought: set[PartitionId] = set()  # a fetch after a seek begins at its offset
        for partition in PARTITIONS:
            self.delivery.open_lane(self._lane(partition))

    def _die(self, _code: int) -> None:
        self.dead = True

    async def _until_owned(self) -> None:
        """The lease ends with the session; what was written before stays in the queue."""
        if not self.broker.exactly_once:
            self.committer._check_owner()

    def _lane(self, partition: int) -> Lane[Counters]:
        broker, points = self.broker, {}
        sources = [Source(topic, partition, OPTIONS.max_pending) for topic in TOPICS]
        for source in sources:
            points[source.tp] = broker.committed.get(source.tp, CommitPoint(0))
            source.highwater = len(broker.inputs[source.tp])
            self.position[source.tp] = points[source.tp].offset
        table = Table(CODEC, MemoryStore(), max_hot_rows=4)
        if not broker.exactly_once:
            broker.rows[partition].append((FENCE_KEY, None, broker.generation))
        table.apply_changelog(broker.rows[partition])
        table.position = len(broker.rows[partition])
        table.index()
        lane = Lane(
            partition,
            sources=sources,
            table=table,
            options=OPTIONS,
            progress=self.delivery.progress,
            flush_if_due=self.flusher.flush_if_due,
        )
        lane.start_at(points)
        return lane

    def poll(self, chance: random.Random, lossy: bool) -> None:
        """Fetch some records of some partitions; a fetch may be lost, or bring records again."""
        records: dict[PartitionId, list[Raw]] = {}
        asked = [tp for tp in self.delivery.to_fetch() if chance.random() < 0.7]
        for tp in asked:
            log, at = self.broker.inputs[tp], self.position[tp]
            count = chance.randint(0, 4)
            if lossy and tp not in self.sought and chance.random() < 0.05:
                at = self.position[tp] = min(len(log), at + count)
            if lossy and chance.random() < 0.05:
                at = max(0, at - 2)
            if found := log[at : at + count]:
                records[tp] = found
                self.position[tp] = found[-1].offset + 1
                self.sought.discard(tp)
        ends = {tp: len(self.broker.inputs[tp]) for tp in asked}
        portions = {tp: fetched(each) for tp, each in records.items()}
        result = self.delivery.distribute(asked, portions, ends, 0.0)
        self.position.update(result.rewind)
        self.sought.update(result.rewind)

    def apply_some(self, chance: random.Random) -> None:
        """The moments of a lane, or some of them: then the event loop runs before the agent goes on."""
        if self.under_way is None:
            lane = self.delivery.lanes[chance.choice(PARTITIONS)]
            self.under_way = lane, lane.moments()
        if self._given_until(lambda: self.broker.breathes and self.broker.pauses.random() < 0.2):
            self.flusher.send_early()
        self.flusher.on_poll(quiet=False)

    def finish(self) -> None:
        """The agent goes on to the end of what it began."""
        if self.under_way is not None:
            self._given_until(lambda: False)
            self.flusher.send_early()

    def _given_until(self, pauses: Callable[[], bool]) -> bool:
        """Whether the moments under way came to their end before a pause."""
        assert self.under_way is not None
        lane, moments = self.under_way
        for moment in moments:
            PROCESSOR.apply(lane, moment)
            if pauses():
                return False
        self.under_way = None
        return True

    def apply(self, partition: int) -> None:
        lane = self.delivery.lanes[partition]
        for moment in lane.moments():
            PROCESSOR.apply(lane, moment)
        self.flusher.send_early()

    @property
    def finished(self) -> bool:
        ends = {tp: len(log) for tp, log in self.broker.inputs.items()}
        return all(self.broker.committed.get(tp, CommitPoint(0)).offset == end for tp, end in ends.items())


OPTIONS = EngineOptions(
    app_id="sim",
    bootstrap="nowhere:1",
    inputs=TOPICS,
    changelog="rows",
    max_idle_s=FOREVER_S,
    flush_interval_s=0.0,
    look_every_s=0.0,
    max_pending=8,
)


async def simulate(
    broker: Broker,
    chance: random.Random,
    *,
    delivery: type[Delivery[Any]] = Delivery,
    committer: type[ModelCommitter] = ModelCommitter,
) -> None:
    """Until everything is committed: steps of a worker, crashes between them, zombies that wake up."""
    start: Callable[[], Worker] = lambda: Worker(broker, delivery, committer)  # noqa: E731
    worker, zombie, crashes = start(), None, chance.randint(0, 4)
    for _ in range(3_000):
        if worker.finished:
            break
        step = chance.random()
        if crashes and (step < 0.03 or worker.dead):
            crashes -= not worker.dead
            if (zombie is None or zombie.dead) and not worker.dead and chance.random() < 0.5:
                zombie = worker
            else:
                await _crash(worker, chance)
            worker = start()
        elif worker.dead:
            worker = start()
        elif zombie is not None and not zombie.dead and step < 0.1:
            await _go_on(zombie, chance)
        else:
            await _go_on(worker, chance)
    assert worker.finished, "the worker does not get to the end of its input"
    for each in filter(None, (worker, zombie)):
        await _wind_up(each)
    last = start()  # writes again what the zombie has overwritten
    for partition in PARTITIONS:
        last.apply(partition)
    await _wind_up(last)


async def _wind_up(worker: Worker) -> None:
    """A worker that is alive writes all it has, as far as it may."""
    worker.committer.running = True
    if not worker.dead:
        worker.finish()
        await worker.flusher.drain()


async def _go_on(worker: Worker, chance: random.Random) -> None:
    step = chance.random()
    if step < 0.4:
        worker.poll(chance, lossy=True)
    elif step < 0.7:
        worker.apply_some(chance)
    else:
        worker.committer.running = True
        await asyncio.sleep(0)
        worker.committer.running = False


async def _crash(worker: Worker, chance: random.Random) -> None:
    """kill -9: some of what was in the socket may still arrive; the rest is gone with the process."""
    worker.dead = True
    if not worker.broker.exactly_once:
        worker.committer.append(chance.randint(0, len(worker.committer.queue)))
    worker.committer.queue.clear()
    if task := worker.flusher._under_way:
        task.cancel()
        await asyncio.wait([task])
