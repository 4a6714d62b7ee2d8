"""A record of one of the topics that the dashboard reads, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Read = Literal["profiles", "alerts", "shadow", "control", "deadletter"]
"""What the topic is for."""
READ: tuple[Read, ...] = ("profiles", "alerts", "shadow", "control", "deadletter")


class PageRecord(Struct, frozen=True, gc=False):
    """As Kafka gave it."""

    role: Read
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    at_ms: int = 0
    """The record's timestamp."""
