"""A lane as a start makes it: its inputs at their start points, and a table without rows yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stream.engine.codec import Codec, State
from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import new_store
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoints
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source


def shared_partitions(tps: Sequence[PartitionId], options: EngineOptions) -> list[int]:
    """The partition numbers that a worker was given, in order. EngineError: not of all inputs alike."""
    partitions = sorted({tp.partition for tp in tps})
    if len(tps) != len(partitions) * len(options.inputs):
        given = ", ".join(f"{sum(tp.topic == topic for tp in tps)} of {topic}" for topic in options.inputs)
        raise EngineError(
            Exit.CONFIGURATION,
            "the inputs must exist with equal numbers of partitions, and only workers may be members of "
            f"group {options.app_id}: this worker was given {given}",
        )
    return partitions


def new_lane(
    partition: int,
    options: EngineOptions,
    codec: Codec[State],
    *,
    points: CommitPoints,
    highwaters: Mapping[PartitionId, int],
    lanes: int,
    changelog_id: str,
    lane_with: Callable[..., Lane[State]],
) -> Lane[State]:
    """The lane of one partition number. EngineError: its store cannot be used.

    `changelog_id`: Kafka's id of the changelog, empty where none is known. `highwaters`: the next offset of
    each input. `lanes`: among how many the live rows in memory are shared. `lane_with`: `Lane` with those of
    its arguments that are the same for all lanes.
    """
    sources = [Source(topic, partition, options.max_pending) for topic in options.inputs]
    for source in sources:
        source.highwater = highwaters[source.tp]
    hot_rows = max(1, options.max_hot_rows // lanes)
    store = new_store(options, partition, changelog_id)
    table = Table(codec, store, hot_rows, f"{options.changelog}/{partition}")
    lane = lane_with(partition, sources=sources, table=table, options=options)
    lane.start_at(points)
    return lane
