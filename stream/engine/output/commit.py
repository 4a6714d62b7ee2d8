"""How a flush becomes durable: acknowledged and then committed, or all in one transaction per partition.

At least once: one idempotent producer; offsets are committed after the last acknowledgement. Exactly once: a
transactional producer per partition, its id made of application and partition. Taking a partition over fences
whoever had it, finishes or aborts what was left open, and only then are offsets and rows read
(docs/decisions/0001-one-transaction-per-partition.md).
"""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, Protocol

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.output.group import Group
from stream.engine.output.producer import AbortedError, Sender
from stream.engine.partition_id import PartitionId
from stream.engine.task.batch import Mark, Outgoing
from stream.engine.task.lane import Lane

log = logging.getLogger("stream.engine")
Marks = dict[PartitionId, tuple[int, Mark]]
WriteFence = Callable[[Mapping[int, int]], None]
THREADS_MAX = 16
PATIENCE_SHARE = 1 / 3  # of the transaction's own time-out; then it is done again, which is safe at any time
GRACE_S = 5


class Cargo(NamedTuple):
    """What one lane puts into a flush: its `Load`, and whose it is."""

    lane: Lane[Any]
    flush: int
    rows: list[tuple[bytes, bytes | None]]
    outgoing: list[Outgoing]
    marks: dict[str, tuple[int, Mark]]

    @property
    def offsets(self) -> Marks:
        return {PartitionId(topic, self.lane.partition): mark for topic, mark in self.marks.items()}


class Outlet(Protocol):
    def partition_count(self, topic: str) -> int: ...

    fence: WriteFence | None  # how a changelog is taken over when the broker itself does not fence

    pace_s: float  # near the head of the topics flushes start so far apart

    async def take_over(self, partitions: Sequence[int]) -> None: ...
    def send_ahead(self, records: list[Outgoing]) -> list[Outgoing]:
        """Sends what need not wait for the rows that remember it; returns what must."""

    def write(self, cargo: Cargo) -> None: ...
    async def settle(self, cargoes: Sequence[Cargo]) -> None: ...
    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The next offset of each, where only we should move it; nothing where the broker sees to that."""

    def let_go(self) -> None: ...


class AcknowledgeThenCommit:
    """At least once. Who writes a changelog says so in it first, and every row names its writer's epoch."""

    pace_s = 0.1  # alerts went ahead

    def __init__(self, options: EngineOptions, group: Group) -> None:
        self._changelog = options.changelog
        self._group = group
        self._sender = Sender(options, f"{options.app_id}-sender")
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self.partition_count = self._sender.partition_count
        self.fence: WriteFence | None = partial(self._sender.fence, options.changelog)

    async def take_over(self, partitions: Sequence[int]) -> None:
        return

    def send_ahead(self, records: list[Outgoing]) -> list[Outgoing]:
        if not self._group.holds:  # we may have been replaced: the flush asks the group first
            return records
        self._sender.write_records(records)
        return []

    def write(self, cargo: Cargo) -> None:
        table = cargo.lane.table
        self._sender.write_rows(self._changelog, cargo.lane.partition, cargo.rows, table.epoch)
        self._sender.write_records(cargo.outgoing)

    async def settle(self, cargoes: Sequence[Cargo]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._sender.wait_for_acks)
        for cargo in cargoes:
            cargo.lane.table.position += len(cargo.rows)
        await self._group.commit({place: mark for cargo in cargoes for place, mark in cargo.offsets.items()})

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        ends = await self._group.ends([PartitionId(self._changelog, partition) for partition in partitions])
        return {place.partition: end for place, end in ends.items()}

    def let_go(self) -> None:
        return


class OneTransaction:
    """Exactly once. Alerts are seen when their transaction ends."""

    fence: WriteFence | None = None
    pace_s = 0.06  # each costs broker and worker the same, however little it holds

    def __init__(self, options: EngineOptions, group: Group) -> None:
        self._options = options
        self._group = group
        self._patience_s = options.transaction_timeout_s * PATIENCE_SHARE
        self._senders: dict[int, Sender] = {}
        self._given_up: list[Sender] = []  # stuck; dropping one would wait for it
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="flush")
        self.partition_count = Sender(options, f"{options.app_id}-metadata").partition_count

    @property
    def stuck(self) -> bool:
        """A thread hangs in librdkafka: an orderly end of the process would wait for it for ever."""
        return bool(self._given_up)

    async def take_over(self, partitions: Sequence[int]) -> None:
        await asyncio.gather(*(self._take_over(partition) for partition in partitions))

    async def _take_over(self, partition: int) -> None:
        name = f"{self._options.app_id}-{partition}"
        sender = self._senders[partition] = Sender(self._options, name, transactional_id=name)
        try:
            await self._in_thread(sender.take_over, self._options.delivery_timeout_s + GRACE_S)
        except TimeoutError as late:
            raise EngineError(
                Exit.PRODUCER, f"partition {partition} could not be taken over in time"
            ) from late

    def send_ahead(self, records: list[Outgoing]) -> list[Outgoing]:
        return records

    def write(self, cargo: Cargo) -> None:
        sender = self._senders[cargo.lane.partition]
        sender.begin()
        sender.write_rows(self._options.changelog, cargo.lane.partition, cargo.rows)
        sender.write_records(cargo.outgoing)

    async def settle(self, cargoes: Sequence[Cargo]) -> None:
        await asyncio.gather(*(self._settle(cargo) for cargo in cargoes))
        for cargo in cargoes:
            cargo.lane.table.position += len(cargo.rows)  # at the least: ends of transactions count as well

    async def _settle(self, cargo: Cargo) -> None:
        """Until it is committed: a transaction that a restarted broker lost is done again."""
        until = time.monotonic() + self._options.delivery_timeout_s
        offsets = {
            (place.topic, place.partition): (offset, mark.encode())
            for place, (offset, mark) in cargo.offsets.items()
        }
        while True:
            sender = self._senders[cargo.lane.partition]
            try:
                group = group_metadata(self._options.app_id, *self._group.membership())
                await self._in_thread(partial(sender.commit, offsets, group), self._patience_s)
                return
            except (TimeoutError, AbortedError) as failure:
                if time.monotonic() > until:
                    text = (
                        f"a transaction did not end; the broker aborts it, its input comes again: {failure!r}"
                    )
                    raise EngineError(Exit.PRODUCER, text) from failure
                log.warning("partition %d: its transaction is done again: %r", cargo.lane.partition, failure)
                self._given_up += [sender] if isinstance(failure, TimeoutError) else []
            await self._group.surely_ours()  # a worker that slept would fence its successor
            if await self._ended_well(cargo):
                return

    async def _ended_well(self, cargo: Cargo) -> bool:
        """Taking over anew ends the old transaction one way or the other; the committed mark says which."""
        await self._take_over(cargo.lane.partition)
        marks = await self._group.committed(list(cargo.offsets))
        if any(mark.flush >= cargo.flush for _, mark in marks.values()):
            return True
        self.write(cargo)
        return False

    async def _in_thread(self, work: Callable[[], None], limit_s: float) -> None:
        """librdkafka 2.16 may wait for ever for a coordinator (its issues 5456 and 5511)."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        await asyncio.wait_for(running, limit_s)

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return {}

    def let_go(self) -> None:
        self._senders.clear()


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """What `Consumer.consumer_group_metadata()` would give, for a membership that aiokafka holds.

    The layout is that of rd_kafka_consumer_group_metadata_write (librdkafka 2, rdkafka_cgrp.c); with it the
    broker refuses offsets of a member that is no longer in the group (KIP-447).
    """
    names = b"".join(name.encode() + b"\0" for name in (group, member))
    return b"CGMDv2:" + struct.pack("<i", generation) + names + b"\1"
