"""What goes on in the partitions of other workers: for task/group_progress.py.

A worker whose partitions are all idle must know that purchases arrive elsewhere, or a history. The ends of
the logs and the commit points of the group say so, without another topic or connection. A worker that has all
partitions never asks.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import KafkaError

from stream.engine.failure import EngineError, FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.group import Group
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoints
from stream.engine.watch import Watch

LOOK_EVERY_S = 10.0
LOOKS_PER_QUIET = 4
"""At least so many looks while a history is taken to have paused (`history_quiet_s`)."""
ANSWER_TIMEOUT_S = 10.0


class GroupWatch(Watch):
    """Asks Kafka from the first opening of lanes on, until the worker stops."""

    def __init__(self, options: EngineOptions, group: Group, delivery: Delivery[Any], fail: FailStop) -> None:
        self._inputs = options.inputs
        every_s = min(LOOK_EVERY_S, options.history_quiet_s / LOOKS_PER_QUIET)
        super().__init__(every_s, fail, first_after_s=0)
        self._group = group
        self._delivery = delivery

    async def look(self) -> None:
        """Ask once. Without an answer nothing is known of the others: they may be reading."""
        delivery, progress = self._delivery, self._delivery.progress
        elsewhere = self._group.partitions(self._inputs[0]) - delivery.lanes.keys()
        tps = [PartitionId(topic, partition) for topic in self._inputs for partition in elsewhere]
        points: CommitPoints = {}
        ends: dict[PartitionId, int] = {}
        try:
            if tps:
                points = await asyncio.wait_for(self._group.committed(tps), ANSWER_TIMEOUT_S)
                ends = await asyncio.wait_for(self._group.ends(tps), ANSWER_TIMEOUT_S)
        except (KafkaError, EngineError, TimeoutError):
            progress.note_unknown()
        else:
            progress.note_committed(points)
            progress.note_elsewhere(ends, self._every_s)

    async def look_again(self) -> None:
        """See `look`."""
        await self.look()
