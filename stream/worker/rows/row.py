"""A row of the profiles topic: a customer's profile, what was applied to it, alerts perhaps not yet sent.

Transport state (`applied`, `outbox`) lives in the same record as the profile, so that one write is atomic; it
is no part of the profile and is never compared.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct, field

from stream.core.events.event import ClockTicked, Event, ModelPublished
from stream.core.facts.profile import EVERYTHING, NOTHING, SECTIONS, Head, Profile, head_of
from stream.engine import Arrival, EngineError, Exit, Lane, Peek, Record
from stream.wire import (
    FUTURE_TOLERANCE_MS,
    TOO_EARLY,
    Rejected,
    TopicKind,
    Unknown,
    decode,
    partition_of,
)

MODEL_KEY = b"\x00model"
"""The row of a partition that holds the model in force there; no customer can have this id on the wire."""
FOREVER_MS = 1 << 62
NS_PER_MS = 1_000_000
KEYS_CHECKED = 64
"""Profiles of a partition that are asked where they belong: after a change of partitions most are astray."""


class _Transport(Struct, omit_defaults=True, gc=False):
    """The part of a record of the profiles topic that is no profile."""

    applied: dict[str, int] = field(default_factory=dict)
    """Input topic -> the next offset that is new to this row."""
    outbox: list[Raw] = field(default_factory=list)
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)
    """Under MODEL_KEY: the model in force, and those before it up to the one in force where the offsets that
    are committed begin (none: the settings' own)."""


class Row(_Transport, omit_defaults=True, gc=False):
    """What the profiles topic holds under a customer's key."""

    profile: Profile | None = None
    instead_of: str = ""
    """Under MODEL_KEY: the version of the settings' own model when the one in force was published."""
    adopted: list[int] = field(default_factory=list)
    """Under MODEL_KEY: of each model but the first the offset behind its publication."""


class _Front(_Transport, omit_defaults=True, gc=False):
    """The bytes of a row up to the sections of its profile, and two braces."""

    profile: Head | None = None


class LiveRow:
    """A row in use. The bytes of sections of the profile that did not change are kept, not encoded again.

    Most events change one section of six, and what lies scattered in memory is slow to encode: 15 us a row
    in place, 12 this way (bench/results/core.md).
    """

    __slots__ = (
        "_sizes",
        "_written",
        "adopted",
        "applied",
        "changed",
        "instead_of",
        "models",
        "outbox",
        "outbox_flush",
        "profile",
    )

    def __init__(self, row: Row) -> None:
        self.profile = row.profile
        self.applied = row.applied
        self.outbox = row.outbox
        self.outbox_flush = row.outbox_flush
        self.models = row.models
        self.instead_of = row.instead_of
        self.adopted = row.adopted
        self.changed = EVERYTHING
        """The sections to encode again: `|=` what a step says."""
        self._written = b""
        self._sizes = [0] * len(SECTIONS)

    def encode(self) -> bytes:
        """The bytes of the `Row` that this is."""
        profile = self.profile
        if profile is None:
            transport = self.applied, self.outbox, self.outbox_flush, self.models
            return _encode(Row(*transport, None, self.instead_of, self.adopted))
        front = _Front(self.applied, self.outbox, self.outbox_flush, self.models, head_of(profile))
        written, sizes, done = self._written, self._sizes, 0
        kept_from = len(written) - len(END) - sum(sizes)
        parts = [_encode(front)[: -len(END)]]
        for place, name, lead in PLACES[self.changed]:
            if place > done:
                kept_to = kept_from + sum(sizes[done:place])
                parts.append(written[kept_from:kept_to])
                kept_from = kept_to
            section = lead + _encode(getattr(profile, name))
            kept_from += sizes[place]
            sizes[place] = len(section)
            parts.append(section)
            done = place + 1
        parts.append(written[kept_from:] if done < len(SECTIONS) else END)
        self.changed = NOTHING
        self._written = row = b"".join(parts)
        return row


END = b"}}"
PLACES = tuple(
    tuple(
        (place, name, f',"{name}":'.encode()) for place, name in enumerate(SECTIONS) if changed >> place & 1
    )
    for changed in range(EVERYTHING + 1)
)
"""For every set of sections: place, name and what stands before the value of each."""

_encode = msgspec.json.Encoder().encode


class Refused(Struct, frozen=True):
    """A record that is no event, kept whole for the dead-letter topic."""

    rejected: Rejected
    record: Record


Content = Event | Unknown | Refused


RESTING = re.compile(
    rb'\{"applied":\{[^{}\\]*\},"profile":\{"customer":"[^"\\]*",(?:"next_review_ms":(\d+),)?"first_seen_ms":'
).match
"""How nearly every row begins: nothing to send, and when to look again. Found without parsing the 2 kB."""


class _ProfilePeek(Struct):
    next_review_ms: int | None = None


class _RowPeek(Struct):
    profile: _ProfilePeek | None = None
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)


def _wall_ms() -> int:
    return time.time_ns() // NS_PER_MS


def _monotonic_ms() -> int:
    """Of a clock that nobody sets."""
    return time.monotonic_ns() // NS_PER_MS


class ProfileJob:
    """Bytes to meaning and back, for the engine."""

    def __init__(self, kinds: Mapping[str, TopicKind], partition_count: int, *, live: bool) -> None:
        self._kinds = kinds
        self._partition_count = partition_count
        self._latest_ms = 0 if live else FOREVER_MS
        """Until then events are believed: so far ahead of the clock as it was read last."""
        self._wall_ahead_ms = _wall_ms() - _monotonic_ms()
        self._load = msgspec.json.Decoder(Row).decode
        self._peek = msgspec.json.Decoder(_RowPeek).decode
        self.dump = LiveRow.encode

    def decode(self, topic: str, partition: int, record: Record) -> Arrival:
        """An input record; one that is no event arrives too, so its dead letter belongs to its offset."""
        key = record.key
        event = decode(
            self._kinds[topic],
            key,
            record.value,
            record.headers,
            partition=partition,
            partition_count=self._partition_count,
        )
        kind = type(event)
        if kind is Rejected:
            return Arrival(key or b"", None, Refused(event, record), topic, partition, record.offset)  # type: ignore[arg-type]
        if kind is Unknown:
            return Arrival(key or b"", None, event, topic, partition, record.offset)
        at_ms = event.time_ms  # type: ignore[union-attr]
        if at_ms > self._latest_ms and self._is_too_early(at_ms):
            return Arrival(key or b"", None, Refused(TOO_EARLY, record), topic, partition, record.offset)
        complete_to_ms = at_ms if kind is ClockTicked else None
        arrival = Arrival(key, at_ms, event, topic, partition, record.offset, complete_to_ms)  # type: ignore[arg-type]
        if kind is ModelPublished:
            arrival.for_all = True
        return arrival

    def _is_too_early(self, at_ms: int) -> bool:
        """Ahead of the clock; which is read only when its last reading does not settle that.

        A clock that is set back while we run does not make early what comes in time.
        """
        self._latest_ms = max(_wall_ms(), self._wall_ahead_ms + _monotonic_ms()) + FUTURE_TOLERANCE_MS
        return at_ms > self._latest_ms

    def check_partition(self, lane: Lane[LiveRow]) -> None:
        """With another number of partitions customers live elsewhere, and would have two half profiles."""
        count, here = self._partition_count, lane.partition
        keys = [key for key in lane.table.some_keys(KEYS_CHECKED) if not key.startswith(b"\0")]
        astray = sum(partition_of(key, count) != here for key in keys)
        if astray or here >= count:
            seen = f"{astray} of {len(keys)} profiles seen in partition {here} belong elsewhere"
            text = f"the number of partitions was changed ({count} when this worker started; {seen})"
            remedy = "that is not possible: make new topics (STREAM_TOPIC_PREFIX) and send the history again"
            raise EngineError(Exit.CONFIGURATION, f"{text}; {remedy}")

    def load(self, key: bytes, row: bytes) -> LiveRow:
        """A row at rest, alive."""
        return LiveRow(self._load(row))

    def due_ms(self, state: LiveRow) -> int | None:
        """When the customer is to be looked at again."""
        profile = state.profile
        return profile.next_review_ms if profile is not None else None

    def peek(self, row: bytes) -> Peek:
        """The same of a row at rest, without decoding the rest."""
        if known := RESTING(row):
            return Peek(int(known[1]) if known[1] else None, 0)
        seen = self._peek(row)
        if seen.profile is not None:
            return Peek(seen.profile.next_review_ms, seen.outbox_flush)
        return Peek(None, seen.outbox_flush, None if seen.models else self._load(row).applied)

    def applied(self, row: bytes) -> Mapping[str, int]:
        """What was applied to a row at rest."""
        return self._load(row).applied
