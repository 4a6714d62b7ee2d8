"""A lane of the toy application that a test feeds by hand, without Kafka."""

from __future__ import annotations

import json
from typing import Any

from stream.engine import Lane, Moment
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.merge import Source
from tests.support.engine_model import Raw, fetched
from tests.support.toy_app import HOUR_MS, TOPICS, Counters, ToyCodec, ToyProcessor

PURCHASES, ENGAGEMENT, FEEDBACK = TOPICS
PROCESSOR = ToyProcessor("out")
TPS = [PartitionId(topic, 0) for topic in TOPICS]


async def _no_flush() -> None:
    return


class Pipe:
    """A lane that is fed by hand. `purchases` is the reference source, `feedback` has the ticks."""

    def __init__(self, points: CommitPoints | None = None, partition: int = 0, **options: Any) -> None:
        self.options = EngineOptions(
            app_id="lane",
            bootstrap="nowhere:1",
            inputs=TOPICS,
            changelog="rows",
            **{"reference": PURCHASES, "ticks": FEEDBACK, "stall_after_ms": 2 * HOUR_MS, **options},
        )
        self.delivery: Delivery[Counters] = Delivery(ToyCodec(), FEEDBACK, GroupProgress(self.options))
        self.table = Table(ToyCodec(), MemoryStore(), max_hot_rows=10)
        self.lane = Lane(
            partition,
            sources=[Source(topic, partition, 1_000) for topic in TOPICS],
            table=self.table,
            options=self.options,
            progress=self.delivery.progress,
            flush_if_due=_no_flush,
        )
        self._ends = dict.fromkeys(TOPICS, 0)
        self.lane.start_at(points or {source.tp: CommitPoint(0) for source in self.lane.sources})
        self.delivery.open_lane(self.lane)

    def feed(self, topic: str, *events: dict[str, Any]) -> None:
        start = self._ends[topic]
        self._ends[topic] += len(events)
        tp = PartitionId(topic, self.lane.partition)
        records = [Raw(*tp, start + n, json.dumps(event).encode()) for n, event in enumerate(events)]
        assert not self.delivery.distribute([tp], {tp: fetched(records)}, {tp: self._ends[topic]}, 0.0).rewind

    def moments(self) -> list[Moment]:
        given = []
        for moment in self.lane.moments():
            PROCESSOR.apply(self.lane, moment)
            given.append(moment)
        return given


def event(key: str, time_ms: int | None) -> dict[str, Any]:
    """As a toy event; without a time it is none, and is rejected."""
    return {"key": key, "time_ms": time_ms}
