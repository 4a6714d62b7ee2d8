"""One lane of one topic behind the engine's delivery, without Kafka."""

from __future__ import annotations

from typing import Any

from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from tests.support.engine_model import no_flush
from tests.support.toy_app import ToyCodec

TOPIC = "events"
TP = PartitionId(TOPIC, 0)
OPTIONS = EngineOptions(app_id="a", bootstrap="nowhere:1", inputs=(TOPIC,), changelog="rows")


def opened(start: int = 0) -> tuple[Delivery[Any], Lane[Any]]:
    """A delivery with one open lane of one topic, which begins at an offset."""
    delivery: Delivery[Any] = Delivery(ToyCodec(), None, GroupProgress(OPTIONS))
    lane = Lane(
        0,
        sources=[Source(TOPIC, 0, 1000)],
        table=Table(ToyCodec(), MemoryStore(), 100),
        options=OPTIONS,
        progress=delivery.progress,
        flush_if_due=no_flush,
    )
    lane.start_at({TP: CommitPoint(start)})
    delivery.open_lane(lane)
    return delivery, lane
