"""How a flush becomes durable and is committed: once for each guarantee.

At least once: one idempotent producer, and offsets are committed after the last acknowledgement. Exactly
once: one transactional producer per partition, its id made of application, changelog and partition number
(two sets of topics with one application name must not fence each other). Its first call (`take_over`) fences
the worker that had the partition, and commits or aborts what that one left open; offsets and rows are read
only after that (docs/decisions/0001-one-transaction-per-partition.md).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from stream.engine.client_internals import group_metadata
from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.output.group import Group
from stream.engine.output.producer import AbortedError, Sender
from stream.engine.partition_id import PartitionId
from stream.engine.task.batch import FlushBatch, Outgoing

log = logging.getLogger("stream.engine")
WriteFence = Callable[[Mapping[int, int]], None]
THREADS_MAX = 16
PATIENCE_SHARE = 1 / 3
"""Of the transaction's time-out: so long we wait for its end, then it is done again, which is always safe."""
GRACE_S = 5


class Committer(Protocol):
    """What the flusher and the start need of a guarantee."""

    pace_s: float  # near the head of the topics flushes start so far apart
    fence: WriteFence | None  # writes the beginning of our epoch; None: the broker itself fences

    def partition_count(self, topic: str) -> int:
        """0 when there is no such topic. Blocks."""

    async def take_over(self, partitions: Sequence[int]) -> None:
        """Become the writer for these partitions; nobody else's writes for them end after this."""

    def send_before_rows(self, records: list[Outgoing]) -> list[Outgoing]:
        """Send the records that need not wait for the rows in whose outbox they are; returns the others."""

    def write(self, batch: FlushBatch) -> None:
        """Hand rows and records of a batch to the producer."""

    async def commit(self, batches: Sequence[FlushBatch]) -> None:
        """Wait until all that was written is durable and the batches' points are committed."""

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The next offset of each changelog partition, if another worker's writes could have moved it."""

    def on_revoked(self) -> None:
        """The partitions are no longer ours."""


class AtLeastOnce:
    """Acknowledge, then commit. The changelog names its writer, and so does every row (state/epoch.py)."""

    pace_s = 0.1  # alerts do not wait for flushes

    def __init__(self, options: EngineOptions, group: Group) -> None:
        self._changelog = options.changelog
        self._group = group
        self._sender = Sender(options, f"{options.app_id}-sender")
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self.partition_count = self._sender.partition_count
        self.fence: WriteFence | None = partial(self._sender.fence, options.changelog)

    async def take_over(self, partitions: Sequence[int]) -> None:
        """Nothing: recovery writes the fence."""

    def send_before_rows(self, records: list[Outgoing]) -> list[Outgoing]:
        """All of them, unless we may have been replaced: the flush asks the group first."""
        if not self._group.lease_holds:
            return records
        self._sender.write_records(records)
        return []

    def write(self, batch: FlushBatch) -> None:
        """See Committer."""
        self._sender.write_rows(self._changelog, batch.partition, batch.rows, batch.epoch)
        self._sender.write_records(batch.outgoing)

    async def commit(self, batches: Sequence[FlushBatch]) -> None:
        """Wait until Kafka has acknowledged every row and record written so far, then commit the input
        offsets.

        EngineError: an acknowledgement did not come in time, or the partitions went to another worker.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._sender.wait_for_acks)
        await self._group.commit({tp: point for batch in batches for tp, point in batch.points.items()})

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The next offset of each changelog partition: a worker that was replaced may have written there."""
        ends = await self._group.ends([PartitionId(self._changelog, partition) for partition in partitions])
        return {tp.partition: end for tp, end in ends.items()}

    def on_revoked(self) -> None:
        """Nothing: the producer serves all partitions."""


class ExactlyOnce:
    """One transaction per lane and flush. Readers see its records when it ends."""

    fence: WriteFence | None = None
    pace_s = 0.06  # a transaction costs broker and worker the same, however little it holds

    def __init__(self, options: EngineOptions, group: Group) -> None:
        self._options = options
        self._group = group
        self._patience_s = options.transaction_timeout_s * PATIENCE_SHARE
        self._senders: dict[int, Sender] = {}
        self._abandoned: list[Sender] = []  # blocked in librdkafka; freeing one would block as well
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="flush")
        self.partition_count = Sender(options, f"{options.app_id}-metadata").partition_count

    @property
    def stuck(self) -> bool:
        """A thread is blocked in librdkafka, and an orderly exit of Python would wait for it for ever."""
        return bool(self._abandoned)

    async def take_over(self, partitions: Sequence[int]) -> None:
        """See Committer."""
        await asyncio.gather(*(self._take_over(partition) for partition in partitions))

    async def _take_over(self, partition: int) -> None:
        name = f"{self._options.app_id}-{self._options.changelog}-{partition}"
        sender = self._senders[partition] = Sender(self._options, name, transactional_id=name)
        try:
            await self._in_thread(sender.take_over, self._options.delivery_timeout_s + GRACE_S)
        except TimeoutError as late:
            raise EngineError(
                Exit.PRODUCER, f"partition {partition} could not be taken over in time"
            ) from late

    def send_before_rows(self, records: list[Outgoing]) -> list[Outgoing]:
        """None: a record and the row that remembers it are in one transaction."""
        return records

    def write(self, batch: FlushBatch) -> None:
        """Begin the lane's transaction with rows and records."""
        sender = self._senders[batch.partition]
        sender.begin()
        sender.write_rows(self._options.changelog, batch.partition, batch.rows)
        sender.write_records(batch.outgoing)

    async def commit(self, batches: Sequence[FlushBatch]) -> None:
        """End one transaction per partition: its rows, records and input offsets take effect together.

        EngineError: the partitions went to another worker, or Kafka refused a transaction for good.
        """
        await asyncio.gather(*(self._commit(batch) for batch in batches))

    async def _commit(self, batch: FlushBatch) -> None:
        """Until it is committed: a transaction that a restarted broker has lost is done again."""
        until = time.monotonic() + self._options.delivery_timeout_s
        while True:
            sender = self._senders[batch.partition]
            try:
                group = group_metadata(self._options.app_id, *self._group.generation_and_member())
                await self._in_thread(partial(sender.commit, batch.points, group), self._patience_s)
                return
            except (TimeoutError, AbortedError) as failure:
                if time.monotonic() > until:
                    text = (
                        f"a transaction did not end; the broker aborts it, its input comes again: {failure!r}"
                    )
                    raise EngineError(Exit.PRODUCER, text) from failure
                log.warning("partition %d: its transaction is done again: %r", batch.partition, failure)
                self._abandoned += [sender] if isinstance(failure, TimeoutError) else []
            await self._group.until_owned()  # a worker that was frozen would fence its successor
            if await self._was_committed(batch):
                return

    async def _was_committed(self, batch: FlushBatch) -> bool:
        """Taking over ends the old transaction either way; the committed flush number says which.

        If it was aborted, the batch is written again into a new transaction.
        """
        await self._take_over(batch.partition)
        points = await self._group.committed(list(batch.points))
        if any(point.flush >= batch.flush for point in points.values()):
            return True
        self.write(batch)
        return False

    async def _in_thread(self, work: Callable[[], None], limit_s: float) -> None:
        """At most `limit_s`: librdkafka 2.16 may wait for a coordinator for ever (its issues 5456, 5511)."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        await asyncio.wait_for(running, limit_s)

    async def changelog_ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """None: the broker refuses the transactions of a replaced worker."""
        return {}

    def on_revoked(self) -> None:
        """The producers end; whoever gets the partitions makes new ones."""
        self._senders.clear()
