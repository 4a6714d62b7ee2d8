"""How a flush becomes durable: acknowledged and then committed, or all in one transaction per partition.

At least once: one idempotent producer; offsets are committed after the last acknowledgement. Exactly once: a
transactional producer per partition, its id made of application and partition. Taking a partition over fences
whoever had it, finishes or aborts what was left open, and only then are offsets and rows read
(docs/decisions/0001-one-transaction-per-partition.md).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from stream.engine.delivery import Place
from stream.engine.failure import EngineError, Exit
from stream.engine.lane import Lane, Mark, Outgoing
from stream.engine.options import EngineOptions
from stream.engine.sender import Sender

Marks = dict[Place, tuple[int, Mark]]
Commit = Callable[[Marks], Coroutine[Any, Any, None]]
THREADS_MAX = 16


class Cargo(NamedTuple):
    """What one lane puts into a flush."""

    lane: Lane[Any]
    flush: int
    rows: list[tuple[bytes, bytes | None]]
    outgoing: list[Outgoing]
    marks: dict[str, tuple[int, Mark]]

    @property
    def offsets(self) -> Marks:
        return {Place(topic, self.lane.partition): mark for topic, mark in self.marks.items()}


class Outlet(Protocol):
    def partition_count(self, topic: str) -> int: ...
    async def take_over(self, partitions: Sequence[int]) -> None: ...
    def write(self, cargo: Cargo) -> None: ...
    async def settle(self, cargoes: Sequence[Cargo]) -> None: ...
    def let_go(self) -> None: ...


class AcknowledgeThenCommit:
    """At least once."""

    def __init__(self, options: EngineOptions, commit: Commit) -> None:
        self._changelog = options.changelog
        self._commit = commit
        self._sender = Sender(options, f"{options.app_id}-sender")
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self.partition_count = self._sender.partition_count

    async def take_over(self, partitions: Sequence[int]) -> None:
        return

    def write(self, cargo: Cargo) -> None:
        self._sender.write_rows(self._changelog, cargo.lane.partition, cargo.rows)
        self._sender.write(cargo.outgoing)

    async def settle(self, cargoes: Sequence[Cargo]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._sender.deliver)
        await self._commit({place: mark for cargo in cargoes for place, mark in cargo.offsets.items()})

    def let_go(self) -> None:
        return


class OneTransaction:
    """Exactly once."""

    def __init__(self, options: EngineOptions, membership: Callable[[], tuple[int, str]]) -> None:
        self._options = options
        self._membership = membership
        self._senders: dict[int, Sender] = {}
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="flush")
        self.partition_count = Sender(options, f"{options.app_id}-metadata").partition_count

    async def take_over(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            name = f"{self._options.app_id}-{partition}"
            self._senders[partition] = Sender(self._options, name, transactional_id=name)
        await self._in_threads([sender.take_over for sender in self._senders.values()])

    def write(self, cargo: Cargo) -> None:
        sender = self._senders[cargo.lane.partition]
        sender.begin()
        sender.write_rows(self._options.changelog, cargo.lane.partition, cargo.rows)
        sender.write(cargo.outgoing)

    async def settle(self, cargoes: Sequence[Cargo]) -> None:
        group = group_metadata(self._options.app_id, *self._membership())
        await self._in_threads([self._commit_of(cargo, group) for cargo in cargoes])

    def _commit_of(self, cargo: Cargo, group: bytes) -> Callable[[], None]:
        sender = self._senders[cargo.lane.partition]
        offsets = {
            (place.topic, place.partition): (offset, mark.encode())
            for place, (offset, mark) in cargo.offsets.items()
        }
        return lambda: sender.commit(offsets, group)

    async def _in_threads(self, works: Sequence[Callable[[], None]]) -> None:
        """All at once. librdkafka 2.16 may wait for ever for a group coordinator that was restarted."""
        loop, limit_s = asyncio.get_running_loop(), self._options.transaction_timeout_s
        running = asyncio.gather(*(loop.run_in_executor(self._threads, work) for work in works))
        try:
            await asyncio.wait_for(running, limit_s)
        except TimeoutError as late:
            text = (
                f"a transaction did not end in {limit_s:.0f} s; the broker aborts it, its input comes again"
            )
            raise EngineError(Exit.PRODUCER, text) from late

    def let_go(self) -> None:
        self._senders.clear()


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """What `Consumer.consumer_group_metadata()` would give, for a membership that aiokafka holds.

    The layout is that of rd_kafka_consumer_group_metadata_write (librdkafka 2, rdkafka_cgrp.c); with it the
    broker refuses offsets of a member that is no longer in the group (KIP-447).
    """
    names = b"".join(name.encode() + b"\0" for name in (group, member))
    return b"CGMDv2:" + struct.pack("<i", generation) + names + b"\1"
