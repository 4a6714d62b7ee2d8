"""The consumer group as the engine sees it: are we in charge, what is committed, where do logs end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from stream.engine.failure import EngineError, Exit
from stream.engine.input.lease import Lease
from stream.engine.partition_id import PartitionId
from stream.engine.task.batch import Mark

OWN_POLL_S = 0.05
EXPELLED = "the group went on without this worker, which was away too long; its partitions are others' now"


class Membership(Protocol):
    """One member of the consumer group, as far as a flush needs it."""

    lease: Lease

    @property
    def membership(self) -> tuple[int, str]:
        """Generation and member id; the generation is negative when the group went on without us."""

    async def commit_marks(self, marks: Mapping[PartitionId, tuple[int, Mark]]) -> None: ...
    async def committed_marks(self, places: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, Mark]]: ...
    async def next_offsets(self, places: Iterable[PartitionId]) -> dict[PartitionId, int]: ...


class Group:
    """Asks the consumer's thread, which there is only once the app has started."""

    def __init__(self, thread: Callable[[], Membership], patience_s: float) -> None:
        self._thread = thread
        self._patience_s = patience_s

    @property
    def expelled(self) -> bool:
        """The group went on without us; aiokafka forgets its generation when it is told so."""
        generation, _ = self._thread().membership
        return generation < 0

    def membership(self) -> tuple[int, str]:
        """Generation and member id."""
        if self.expelled:
            raise EngineError(Exit.FENCED, EXPELLED)
        return self._thread().membership

    @property
    def holds(self) -> bool:
        """For now the group surely keeps our partitions."""
        return self._thread().lease.holds

    async def surely_ours(self) -> None:
        """Returns when the group surely keeps our partitions; a coordinator that is away is waited for."""
        until = time.monotonic() + self._patience_s
        while not self.holds:
            self.membership()
            if time.monotonic() > until:
                text = (
                    f"the group's coordinator was away for {self._patience_s:.0f} s: others may be in charge"
                )
                raise EngineError(Exit.FENCED, text)
            await asyncio.sleep(OWN_POLL_S)

    async def commit(self, marks: Mapping[PartitionId, tuple[int, Mark]]) -> None:
        await self._thread().commit_marks(marks)

    async def committed(self, places: Sequence[PartitionId]) -> dict[PartitionId, tuple[int, Mark]]:
        return await self._thread().committed_marks(places)

    async def ends(self, places: Sequence[PartitionId]) -> dict[PartitionId, int]:
        """The next offset of each."""
        return await self._thread().next_offsets(places)
