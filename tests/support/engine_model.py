"""A simulated broker: logs, the offsets of a group, and a producer that may fail at every step."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stream.engine.client_internals import Fetched
from stream.engine.failure import EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.state.table import ChangelogRow
from stream.engine.task.batch import FlushBatch, Outgoing
from stream.engine.task.commit_point import CommitPoints
from stream.engine.task.lane import Lane
from tests.support.toy_app import TOPICS, Event

PARTITIONS = (0, 1)


@dataclass
class Raw:
    """An input record, as the engine's codec gets it."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


def fetched(records: Sequence[Any]) -> Fetched:
    """Records without a gap before the first of them, as the consumer gives them to the delivery."""
    return Fetched(list(records), records[0].offset, records[-1].offset + 1)


class Broker:
    """Everything that outlives a worker."""

    def __init__(self, chance: random.Random, exactly_once: bool) -> None:
        self.chance = chance
        self.pauses = random.Random(chance.getstate()[1][1])  # of their own: all other chances stay
        self.breathes = self.pauses.random() < 0.5
        """Whether the agents of this run let the event loop breathe in the middle of a batch."""
        self.exactly_once = exactly_once
        self.inputs: dict[PartitionId, list[Raw]] = {
            PartitionId(topic, partition): [] for topic in TOPICS for partition in PARTITIONS
        }
        self.committed: CommitPoints = {}
        self.rows: dict[int, list[ChangelogRow]] = {partition: [] for partition in PARTITIONS}
        self.out: list[tuple[str, bytes]] = []
        self.generation = 0

    def publish(self, topic: str, partition: int, value: bytes) -> None:
        log = self.inputs[PartitionId(topic, partition)]
        log.append(Raw(topic, partition, len(log), value))


class ModelCommitter:
    """Stands for AtLeastOnce or ExactlyOnce. The worker may be stopped between any two of its steps."""

    commits_first = False
    fenced = True
    names_its_epoch = True
    looks = True
    fence: Any = print  # not None: a changelog gets a new writer by a record in it
    pace_s = 0.0

    def __init__(self, broker: Broker, generation: int, lanes: Mapping[int, Lane[Any]]) -> None:
        self.broker = broker
        if broker.exactly_once:
            self.fence = None
        self.generation = generation
        self.lanes = lanes
        self.queue: list[tuple[str, Any]] = []  # written by the worker, not yet by the broker
        self.running = False  # a frozen process does nothing until it wakes up

    async def _step(self) -> None:
        await asyncio.sleep(0)
        while not self.running:
            await asyncio.sleep(0)

    def send_before_rows(self, records: list[Outgoing]) -> list[Outgoing]:
        if self.broker.exactly_once or self.broker.chance.random() < 0.3:  # the lease ran out
            return records
        self._note(records)
        return []

    def _note(self, records: list[Outgoing]) -> None:
        self.queue += [("out", (each.topic, each.value)) for each in records]

    def write(self, batch: FlushBatch) -> None:
        epoch = batch.epoch if self.names_its_epoch else None
        self.queue += [("row", (batch.partition, key, row, epoch)) for key, row in batch.rows]
        self._note(batch.outgoing)

    async def commit(self, batches: Sequence[FlushBatch]) -> None:
        if self.broker.exactly_once:
            await self._transaction(batches)
        elif self.commits_first:
            await self._commit(batches)
            await self._acknowledge()
        else:
            await self._acknowledge()
            await self._commit(batches)

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

    async def _commit(self, batches: Sequence[FlushBatch]) -> None:
        self._check_owner()
        for batch in batches:
            self.broker.committed.update(batch.points)
        await self._step()

    async def _transaction(self, batches: Sequence[FlushBatch]) -> None:
        for _ in range(self.broker.chance.randint(1, 3)):
            await self._step()
        self._check_owner()
        self.append(len(self.queue))
        for batch in batches:
            self.broker.committed.update(batch.points)
        await self._step()

    def _check_owner(self) -> None:
        if self.fenced and self.generation != self.broker.generation:
            raise EngineError(Exit.FENCED, "another worker owns this now")

    def partition_count(self, topic: str) -> int:
        return len(PARTITIONS)

    async def take_over(self, partitions: Sequence[int]) -> None:
        return

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        if self.broker.exactly_once or not self.looks:
            return {}
        return {partition: len(self.broker.rows[partition]) for partition in partitions}

    def on_revoked(self) -> None:
        return


@dataclass
class RawEvent:
    """A record as it is fetched; its value is an event that counts its offset."""

    offset: int
    topic: str = "events"
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = b"k"
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()

    def __post_init__(self) -> None:
        self.value = msgspec.json.encode(Event("k", self.offset))


async def no_flush() -> None:
    return
