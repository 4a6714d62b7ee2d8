"""The start-up check that the number of partitions is the one under which the stored profiles were
written."""

from __future__ import annotations

from stream.engine import EngineError, Exit, Lane
from stream.wire import partition_of
from stream.worker.rows.row import LiveRow, some_customers

KEYS_CHECKED = 64
"""How many stored keys of a partition are hashed again. After a change of the number of partitions at most
half of the keys still belong where they are, so 64 keys miss it with a chance of 2^-64."""


def check_partition_count(lane: Lane[LiveRow], partition_count: int) -> None:
    """EngineError when stored profiles belong elsewhere: those customers would get a second profile."""
    here = lane.partition
    keys = some_customers(lane, KEYS_CHECKED)
    misplaced = sum(partition_of(key, partition_count) != here for key in keys)
    if misplaced or here >= partition_count:
        seen = f"{misplaced} of {len(keys)} profiles seen in partition {here} belong elsewhere"
        text = f"the number of partitions was changed ({partition_count} when this worker started; {seen})"
        remedy = "that is not possible: make new topics (STREAM_TOPIC_PREFIX) and send the history again"
        raise EngineError(Exit.CONFIGURATION, f"{text}; {remedy}")
