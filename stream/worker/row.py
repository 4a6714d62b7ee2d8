"""A row of the profiles topic: a customer's profile, what was applied to it, alerts perhaps not yet sent.

Transport state (`applied`, `outbox`) lives in the same record as the profile, so that one write is atomic; it
is no part of the profile and is never compared.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct, field

from stream.core.event import ClockTicked, Event
from stream.core.profile import Profile
from stream.engine import Arrival, Peek, Record
from stream.wire import Rejected, TopicKind, Unknown, decode

MODEL_KEY = b"\x00model"
"""The row of a partition that holds the model in force there; no customer can have this id on the wire."""


class Row(Struct, omit_defaults=True, gc=False):
    """What the profiles topic holds under a customer's key."""

    profile: Profile | None = None
    applied: dict[str, int] = field(default_factory=dict)
    """Input topic -> the next offset that is new to this row."""
    outbox: list[Raw] = field(default_factory=list)
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)
    """Under MODEL_KEY: the model in force, and what was in force before it (none: the settings' own)."""


class Refused(Struct, frozen=True):
    """A record that is no event, kept whole for the dead-letter topic."""

    rejected: Rejected
    record: Record


Content = Event | Unknown | Refused


class _ProfilePeek(Struct):
    next_review_ms: int | None = None


class _RowPeek(Struct):
    profile: _ProfilePeek | None = None
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)


class ProfileJob:
    """Bytes to meaning and back, for the engine."""

    def __init__(self, kinds: Mapping[str, TopicKind], partition_count: int, *, live: bool) -> None:
        self._kinds = kinds
        self._partition_count = partition_count
        self._live = live
        self._load = msgspec.json.Decoder(Row).decode
        self._peek = msgspec.json.Decoder(_RowPeek).decode
        self.dump = msgspec.json.Encoder().encode

    def decode(self, record: Record) -> Arrival:
        """An input record; one that is no event arrives too, so its dead letter belongs to its offset."""
        topic, partition, key = record.topic, record.partition, record.key
        event = decode(
            self._kinds[topic],
            key,
            record.value,
            record.headers,
            partition=partition,
            partition_count=self._partition_count,
            now_ms=time.time_ns() // 1_000_000 if self._live else None,
        )
        if isinstance(event, Event):
            at_ms = event.time_ms
            complete_to_ms = at_ms if isinstance(event, ClockTicked) else None
            return Arrival(key or b"", at_ms, event, topic, partition, record.offset, complete_to_ms)
        content: Content = Refused(event, record) if isinstance(event, Rejected) else event
        return Arrival(key or b"", None, content, topic, partition, record.offset)

    def load(self, key: bytes, row: bytes) -> Row:
        """A row at rest, alive."""
        return self._load(row)

    def due_ms(self, state: Row) -> int | None:
        """When the customer is to be looked at again."""
        return state.profile.next_review_ms if state.profile is not None else None

    def peek(self, row: bytes) -> Peek:
        """The same of a row at rest, without decoding the rest."""
        seen = self._peek(row)
        if seen.profile is not None:
            return Peek(seen.profile.next_review_ms, seen.outbox_flush)
        return Peek(None, seen.outbox_flush, None if seen.models else self._load(row).applied)
