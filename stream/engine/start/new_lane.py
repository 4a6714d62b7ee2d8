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
from stream.engine.task.due_timers import AT_ONCE
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source


def shared_partitions(tps: Sequence[PartitionId], options: EngineOptions) -> list[int]:
    """The partition numbers that a worker was given, in order. EngineError: not of all inputs alike."""
    partitions = sorted({tp.partition for tp in tps})
    if len(tps) != len(partitions) * len(options.inputs):
        raise EngineError(Exit.CONFIGURATION, _unlike(tps, options))
    return partitions


def _unlike(tps: Sequence[PartitionId], options: EngineOptions) -> str:
    """Why a worker was not given the same partition numbers of each input, as far as it can tell."""
    counts = {topic: sum(tp.topic == topic for tp in tps) for topic in options.inputs}
    text = "this worker was given " + ", ".join(f"{count} of {topic}" for topic, count in counts.items())
    if min(counts.values()):
        alone = ", ".join(topic for topic, count in counts.items() if count == max(counts.values()))
        cause = (
            f"another member of group {options.app_id} seems not to read {alone}, because its topics "
            "have other names (STREAM_TOPIC_..., STREAM_TOPIC_PREFIX), or because it is no worker"
        )
    else:
        cause = f"an input is missing, or a member of group {options.app_id} is no worker of these inputs"
    return (
        f"{text} partitions, not of all alike: {cause}. All members must read the same inputs, with equal "
        "numbers of partitions; a worker of other topics needs a STREAM_APP_ID of its own. Who reads what: "
        f"kafka-consumer-groups.sh --describe --members --verbose --group {options.app_id}"
    )


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
    each input. `lanes`: among how many live rows in memory, and timers in turns, are shared. `lane_with`:
    `Lane` with those of its arguments that are the same for all lanes.
    """
    sources = [Source(topic, partition, options.max_pending) for topic in options.inputs]
    for source in sources:
        source.highwater = highwaters[source.tp]
    hot_rows = max(1, options.max_hot_rows // lanes)
    store = new_store(options, partition, changelog_id)
    table = Table(codec, store, hot_rows, f"{options.changelog}/{partition}")
    lane = lane_with(partition, sources=sources, table=table, options=options)
    lane.due.at_once = max(1, AT_ONCE // lanes)
    lane.start_at(points)
    return lane
