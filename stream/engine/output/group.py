"""The consumer group as a flush sees it: are the partitions ours, what is committed, where do logs end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaTimeoutError

from stream.engine.client_internals import OpenTransaction
from stream.engine.failure import EngineError, Exit
from stream.engine.input.lease import Lease
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoints

LEASE_POLL_S = 0.05
Answer = TypeVar("Answer")
EXPELLED = "the group went on without this worker, which was away too long; others have its partitions now"


class Membership(Protocol):
    """One member of the consumer group, as far as a flush needs it: input/consumer_thread.py."""

    lease: Lease

    @property
    def generation_and_member(self) -> tuple[int, str]:
        """The generation is negative when the group went on without this member."""

    async def commit_points(self, points: CommitPoints) -> None: ...
    async def committed_points(self, tps: Iterable[PartitionId]) -> CommitPoints: ...
    async def next_offsets(self, tps: Iterable[PartitionId]) -> dict[PartitionId, int]: ...
    def partitions_for_topic(self, topic: str) -> set[int]: ...
    async def hidden(self, tps: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, int]]: ...
    async def open_transaction(self, tp: PartitionId) -> OpenTransaction | None: ...


class Group:
    """Asks the member, which exists only after the application has started.

    aiokafka asks a coordinator that does not answer again and again, for ever. Here a question without an
    answer for `patience_s` is a KafkaTimeoutError.
    """

    def __init__(self, member: Callable[[], Membership], patience_s: float) -> None:
        self._member = member
        self._patience_s = patience_s

    @property
    def expelled(self) -> bool:
        """Whether Kafka removed this worker from its consumer group (it was away for longer than a session).

        aiokafka then has a negative generation. Also True before the worker has joined for the first time.
        """
        generation, _ = self._member().generation_and_member
        return generation < 0

    def generation_and_member(self) -> tuple[int, str]:
        """Generation of the group and our member id. EngineError: the group went on without us."""
        if self.expelled:
            raise EngineError(Exit.FENCED, EXPELLED)
        return self._member().generation_and_member

    @property
    def lease_holds(self) -> bool:
        """No other worker can be in charge of our partitions now."""
        return self._member().lease.holds

    @property
    def unanswered_s(self) -> float:
        """Seconds since the last heartbeat that the group's coordinator answered; 0 while the lease holds."""
        lease = self._member().lease
        return 0.0 if lease.holds else lease.age_s

    def stopped_late(self, limit_s: float) -> EngineError:
        """The error of a stop that takes longer than `limit_s`; it says so where Kafka does not answer."""
        silence = ""
        with suppress(AttributeError):  # before the member has started there is no lease
            if unanswered_s := self.unanswered_s:
                silence = f" (Kafka has answered no heartbeat for {unanswered_s:.0f} s)"
        text = f"stopping took over {limit_s:.0f} s{silence}; what is not committed comes again"
        return EngineError(Exit.PRODUCER, text)

    async def until_owned(self) -> None:
        """Wait until the lease holds, in case the group's coordinator is away. EngineError: for too long."""
        until = time.monotonic() + self._patience_s
        while not self.lease_holds:
            self.generation_and_member()
            if time.monotonic() > until:
                text = (
                    f"the group's coordinator was away for {self._patience_s:.0f} s: others may be in charge"
                )
                raise EngineError(Exit.FENCED, text)
            await asyncio.sleep(LEASE_POLL_S)

    async def commit(self, points: CommitPoints) -> None:
        """Commit offsets and metadata as a member of the group."""
        await self._answered(self._member().commit_points(points), "offsets could not be committed")

    async def committed(self, tps: Sequence[PartitionId]) -> CommitPoints:
        """Of these partitions, as far as the group has offsets for them."""
        return await self._answered(self._member().committed_points(tps), "committed offsets are not known")

    def partitions(self, topic: str) -> set[int]:
        """The partition numbers of a topic, as far as they are known."""
        return self._member().partitions_for_topic(topic)

    async def ends(self, tps: Sequence[PartitionId]) -> dict[PartitionId, int]:
        """The offset that the next record of each partition will get."""
        return await self._answered(self._member().next_offsets(tps), "the ends of logs are not known")

    async def _answered(self, question: Awaitable[Answer], unanswered: str) -> Answer:
        try:
            return await asyncio.wait_for(question, self._patience_s)
        except TimeoutError as late:
            raise KafkaTimeoutError(f"{unanswered} after {self._patience_s:.0f} s") from late

    async def hidden(self, tps: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, int]]:
        """Of the partitions in which an open transaction hides records: its first offset, the log's end."""
        return await self._member().hidden(tps)

    async def open_transaction(self, tp: PartitionId) -> OpenTransaction | None:
        """The oldest open transaction of a partition, as the broker knows it now."""
        return await self._member().open_transaction(tp)
