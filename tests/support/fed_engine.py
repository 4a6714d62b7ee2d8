"""An engine that owns one partition and is fed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stream.config.settings import Settings
from stream.engine import EngineApp
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source
from stream.worker.engine_setup import engine_options
from tests.support.engine_model import RawEvent, fetched, no_flush
from tests.support.toy_app import ToyCodec

SETTINGS = Settings(clock="event")
INPUTS = engine_options(SETTINGS).inputs
PURCHASES = INPUTS[0]
PLACE = PartitionId(PURCHASES, 3)


class Now:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def fed_engine(bootstrap: str) -> EngineApp[Any]:
    """An engine that owns partition 3, with two records of ten at hand."""
    options = replace(engine_options(SETTINGS, bootstrap), producer={"log_level": 0})
    app: EngineApp[Any] = EngineApp(options, ToyCodec())
    lane = Lane(
        3,
        sources=[Source(topic, 3, 100) for topic in INPUTS],
        table=Table(ToyCodec(), MemoryStore(), 100),
        options=options,
        progress=app.delivery.progress,
        flush_if_due=no_flush,
    )
    lane.start_at({source.tp: CommitPoint(0) for source in lane.sources})
    app.delivery.open_lane(lane)
    records = {PLACE: fetched([RawEvent(at, PURCHASES, 3) for at in (0, 1)])}
    app.delivery.distribute([PLACE], records, {PLACE: 10}, 0.0)
    return app
