"""The engine's own lanes, guard and flusher against a model broker that fails at any step. Seeded, no I/O.

What is real: Delivery, Lane, Table, merge, Flusher, the toy's fold. What is modelled: logs, the group's
offsets, a producer whose records are acknowledged one by one, transactions, crashes, lost fetches, zombies.
Any worker may sleep while another takes over. At least once it wakes, and what it had written goes out late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from stream.engine.failure import FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.flush import ALL, Flusher
from stream.engine.partition_id import PartitionId
from stream.engine.state.epoch import FENCE_KEY
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.batch import Mark
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from tests.support.engine_model import PARTITIONS, Broker, ModelOutlet, Raw
from tests.support.toy_app import TOPICS, Counters, Shopkeeper, ToyCodec

CODEC = ToyCodec()
KEEPER = Shopkeeper("out")
FOR_EVER_S = 1e12


class Piecemeal(Flusher):
    """Flushes take any of the lanes that are due, and rarely all of their rows."""

    chance: random.Random

    def _due(self) -> tuple[list[Lane[Any]], int]:
        lanes, _ = super()._due()
        return self.chance.sample(lanes, self.chance.randint(0, len(lanes))), self.chance.choice(
            (0, 1, 2, ALL)
        )


class Worker:
    """A worker process: what it holds is lost when it is dropped."""

    def __init__(self, broker: Broker, delivery: type[Delivery[Any]], outlet: type[ModelOutlet]) -> None:
        broker.generation += 1
        self.broker = broker
        self.dead = False
        self.delivery: Delivery[Counters] = delivery(CODEC, None, None)
        self.outlet = outlet(broker, broker.generation)
        self.flusher = Piecemeal(
            options=OPTIONS,
            delivery=self.delivery,
            outlet=self.outlet,
            own=self._own,
            fail=FailStop(exit=self._die),
        )
        self.flusher.chance = broker.chance
        self.position: dict[PartitionId, int] = {}
        self.sought: set[PartitionId] = (
            set()
        )  # a fetch that follows our own seek does begin where it was told
        for partition in PARTITIONS:
            self.delivery.open_lane(self._lane(partition))

    def _die(self, _code: int) -> None:
        self.dead = True

    async def _own(self) -> None:
        """A lease ends with its session; what was written before stays in the queue."""
        if not self.broker.exactly_once:
            self.outlet._check_owner()

    def _lane(self, partition: int) -> Lane[Counters]:
        broker, marks = self.broker, {}
        sources = [Source(topic, partition, OPTIONS.max_pending) for topic in TOPICS]
        for source in sources:
            place = PartitionId(source.topic, partition)
            marks[source.topic] = broker.committed.get(place, (0, Mark(0, None, None)))
            source.highwater = len(broker.inputs[place])
            self.position[place] = marks[source.topic][0]
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
            reference=self.delivery.reference,
            flush_if_due=self.flusher.settle,
        )
        lane.start_at(marks)
        return lane

    def poll(self, chance: random.Random, lossy: bool) -> None:
        """Some records of some partitions; a fetch may get lost or come again."""
        records: dict[PartitionId, list[Raw]] = {}
        asked = [place for place in self.delivery.wanted() if chance.random() < 0.7]
        for place in asked:
            log, at = self.broker.inputs[place], self.position[place]
            count = chance.randint(0, 4)
            if lossy and place not in self.sought and chance.random() < 0.05:
                at = self.position[place] = min(len(log), at + count)
            if lossy and chance.random() < 0.05:
                at = max(0, at - 2)
            if found := log[at : at + count]:
                records[place] = found
                self.position[place] = found[-1].offset + 1
                self.sought.discard(place)
        ends = {place: len(self.broker.inputs[place]) for place in asked}
        result = self.delivery.distribute(asked, records, ends, 0.0)
        self.position.update(result.rewind)
        self.sought.update(result.rewind)

    def fold(self, chance: random.Random) -> None:
        self.live(chance.choice(PARTITIONS))
        self.flusher.attend(quiet=False)

    def live(self, partition: int) -> None:
        lane = self.delivery.lanes[partition]
        for moment in lane.moments():
            KEEPER.live(lane, moment)
        self.flusher.send_ahead()

    @property
    def finished(self) -> bool:
        ends = {place: len(log) for place, log in self.broker.inputs.items()}
        return all(self.broker.committed.get(place, (0,))[0] == end for place, end in ends.items())


OPTIONS = EngineOptions(
    app_id="sim",
    bootstrap="nowhere:1",
    inputs=TOPICS,
    changelog="rows",
    max_idle_s=FOR_EVER_S,
    flush_interval_s=0.0,
    look_every_s=0.0,
    max_pending=8,
)


async def simulate(
    broker: Broker,
    chance: random.Random,
    *,
    delivery: type[Delivery[Any]] = Delivery,
    outlet: type[ModelOutlet] = ModelOutlet,
) -> None:
    """Until everything is committed: steps of a worker, crashes at any of them, zombies that wake again."""
    start: Callable[[], Worker] = lambda: Worker(broker, delivery, outlet)  # noqa: E731
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
            await _live(zombie, chance)
        else:
            await _live(worker, chance)
    assert worker.finished, "it does not come to an end"
    for each in filter(None, (worker, zombie)):
        await _wind_up(each)
    last = start()  # mends what the zombie wrote last
    for partition in PARTITIONS:
        last.live(partition)
    await _wind_up(last)


async def _wind_up(worker: Worker) -> None:
    """What it has and may write goes out."""
    worker.outlet.running = True
    if not worker.dead:
        await worker.flusher.drain()


async def _live(worker: Worker, chance: random.Random) -> None:
    step = chance.random()
    if step < 0.4:
        worker.poll(chance, lossy=True)
    elif step < 0.7:
        worker.fold(chance)
    else:
        worker.outlet.running = True
        await asyncio.sleep(0)
        worker.outlet.running = False


async def _crash(worker: Worker, chance: random.Random) -> None:
    """kill -9: what lies in the socket may still arrive, a prefix of it; the rest of the process is gone."""
    worker.dead = True
    if not worker.broker.exactly_once:
        worker.outlet.append(chance.randint(0, len(worker.outlet.queue)))
    worker.outlet.queue.clear()
    if task := worker.flusher._under_way:
        task.cancel()
        await asyncio.wait([task])
