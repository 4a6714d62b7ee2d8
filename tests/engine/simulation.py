"""The engine's own lanes, guard and flusher against a model broker that fails at any step. Seeded, no I/O.

What is real: Delivery, Lane, Table, merge, Flusher, the toy's fold. What is modelled: logs, the group's
offsets, a producer whose records are acknowledged one by one, transactions, crashes, lost fetches, zombies.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream.engine.delivery import Delivery, Place
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.flush import Flusher
from stream.engine.lane import Lane, Mark
from stream.engine.merge import Source
from stream.engine.options import EngineOptions
from stream.engine.outlet import Cargo
from stream.engine.store import MemoryStore
from stream.engine.table import Table
from tests.engine.toy import TOPICS, Counters, Shopkeeper, ToyJob

JOB = ToyJob()
KEEPER = Shopkeeper("out")
PARTITIONS = (0, 1)
FOR_EVER_S = 1e12


@dataclass
class Raw:
    topic: str
    partition: int
    offset: int
    value: bytes
    key: bytes | None = None
    timestamp: int = 0
    headers: list[Any] = field(default_factory=list)


class Broker:
    """Everything that outlives a worker."""

    def __init__(self, chance: random.Random, exactly_once: bool) -> None:
        self.chance = chance
        self.exactly_once = exactly_once
        self.inputs: dict[Place, list[Raw]] = {Place(t, p): [] for t in TOPICS for p in PARTITIONS}
        self.committed: dict[Place, tuple[int, Mark]] = {}
        self.rows: dict[int, list[tuple[bytes, bytes | None]]] = {p: [] for p in PARTITIONS}
        self.out: list[tuple[str, bytes]] = []
        self.generation = 0

    def publish(self, topic: str, partition: int, value: bytes) -> None:
        log = self.inputs[Place(topic, partition)]
        log.append(Raw(topic, partition, len(log), value))


class ModelOutlet:
    """A producer and a committer whose every step may be the last."""

    commits_first = False
    fenced = True

    def __init__(self, broker: Broker, generation: int) -> None:
        self.broker = broker
        self.generation = generation
        self.queue: list[tuple[str, Any]] = []  # written by us, not yet by the broker
        self.running = False  # a frozen process does nothing until it is woken

    async def _step(self) -> None:
        await asyncio.sleep(0)
        while not self.running:
            await asyncio.sleep(0)

    def write(self, cargo: Cargo) -> None:
        partition = cargo.lane.partition
        self.queue += [("row", (partition, key, row)) for key, row in cargo.rows]
        self.queue += [("out", (each.topic, each.value)) for each in cargo.outgoing]

    async def settle(self, cargoes: Sequence[Cargo]) -> None:
        if self.broker.exactly_once:
            await self._transaction(cargoes)
        elif self.commits_first:
            await self._commit(cargoes)
            await self._acknowledge()
        else:
            await self._acknowledge()
            await self._commit(cargoes)

    async def _acknowledge(self) -> None:
        while self.queue:
            await self._step()
            self.append(self.broker.chance.randint(1, len(self.queue)))
        await self._step()

    def append(self, count: int) -> None:
        """The broker takes the first `count` records of the queue."""
        for kind, what in self.queue[:count]:
            if kind == "row":
                self.broker.rows[what[0]].append(what[1:])
            else:
                self.broker.out.append(what)
        del self.queue[:count]

    async def _commit(self, cargoes: Sequence[Cargo]) -> None:
        self._check_owner()
        for cargo in cargoes:
            self.broker.committed.update(cargo.offsets)
        await self._step()

    async def _transaction(self, cargoes: Sequence[Cargo]) -> None:
        for _ in range(self.broker.chance.randint(1, 3)):
            await self._step()
        self._check_owner()
        self.append(len(self.queue))
        for cargo in cargoes:
            self.broker.committed.update(cargo.offsets)
        await self._step()

    def _check_owner(self) -> None:
        if self.fenced and self.generation != self.broker.generation:
            raise EngineError(Exit.FENCED, "another worker owns this now")

    def partition_count(self, topic: str) -> int:
        return len(PARTITIONS)

    async def take_over(self, partitions: Sequence[int]) -> None:
        return

    def let_go(self) -> None:
        return


class Worker:
    """A worker process: what it holds is lost when it is dropped."""

    def __init__(self, broker: Broker, delivery: type[Delivery[Any]], outlet: type[ModelOutlet]) -> None:
        broker.generation += 1
        self.broker = broker
        self.dead = False
        self.delivery: Delivery[Counters] = delivery(JOB, None, None)
        self.outlet = outlet(broker, broker.generation)
        self.flusher = Flusher(
            options=OPTIONS,
            delivery=self.delivery,
            outlet=self.outlet,
            own=lambda: None,
            fail=FailStop(exit=self._die),
        )
        self.position: dict[Place, int] = {}
        self.sought: set[Place] = set()  # a fetch that follows our own seek does begin where it was told
        for partition in PARTITIONS:
            self.delivery.open(self._lane(partition))

    def _die(self, _code: int) -> None:
        self.dead = True

    def _lane(self, partition: int) -> Lane[Counters]:
        broker, marks = self.broker, {}
        sources = [Source(topic, partition, OPTIONS.max_pending) for topic in TOPICS]
        for source in sources:
            place = Place(source.topic, partition)
            marks[source.topic] = broker.committed.get(place, (0, Mark(0, None, None)))
            source.highwater = len(broker.inputs[place])
            self.position[place] = marks[source.topic][0]
        table = Table(JOB, MemoryStore(), max_hot_rows=4)
        table.recover(broker.rows[partition])
        table.index()
        lane = Lane(
            partition,
            sources=sources,
            table=table,
            options=OPTIONS,
            heartbeat=self.delivery.heartbeat,
            settle=self.flusher.settle,
        )
        lane.begin(marks)
        return lane

    def poll(self, chance: random.Random, lossy: bool) -> None:
        """Some records of some partitions; a fetch may get lost or come again."""
        records: dict[Place, list[Raw]] = {}
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
        intake = self.delivery.accept(asked, records, ends, 0.0)
        self.position.update(intake.rewind)
        self.sought.update(intake.rewind)

    def fold(self, chance: random.Random) -> None:
        lane = self.delivery.lanes[chance.choice(PARTITIONS)]
        for moment in lane.moments():
            KEEPER.live(lane, moment)
        self.flusher.consider()

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
    max_pending=8,
)


async def simulate(
    broker: Broker,
    chance: random.Random,
    *,
    delivery: type[Delivery[Any]] = Delivery,
    outlet: type[ModelOutlet] = ModelOutlet,
    zombies: bool,
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
            if zombies and zombie is None and chance.random() < 0.5:
                zombie = worker
            else:
                await _crash(worker, chance)
            worker = start()
        elif worker.dead:
            worker = start()
        elif zombie is not None and step < 0.1:
            await _live(zombie, chance)
        else:
            await _live(worker, chance)
    assert worker.finished, "it does not come to an end"
    for each in filter(None, (zombie, worker)):
        each.outlet.running = True
        await each.flusher.drain()


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
