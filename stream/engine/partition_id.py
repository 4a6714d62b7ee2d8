"""The name of one partition of one topic."""

from __future__ import annotations

from typing import NamedTuple


class PartitionId(NamedTuple):
    """A topic and the number of one of its partitions. Variables of this type are called `tp`.

    It equals the tuples of Faust (`TP`) and of aiokafka (`TopicPartition`). The name is another one because
    confluent-kafka's `TopicPartition` is no tuple but a mutable object with an offset, and the modules of the
    engine import all of them.
    """

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"
