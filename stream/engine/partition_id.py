"""A partition of a topic, by name and number."""

from __future__ import annotations

from typing import NamedTuple


class PartitionId(NamedTuple):
    """A topic and one of its partitions; equal to the tuples of Faust and of aiokafka."""

    topic: str
    partition: int
