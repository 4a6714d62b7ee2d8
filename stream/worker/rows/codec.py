"""The engine's codec: Kafka records -> events, stored rows -> live rows and back.

`peek` answers the two questions that the engine asks of every stored row at a start without decoding the row.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw, Struct, field

from stream.core.events.event import PUBLICATIONS, ClockTicked
from stream.core.facts.profile import PROFILE_VERSION
from stream.core.facts.versions import (
    ForeignProfileError,
    OtherMeaningError,
    check_meaning,
    check_version,
)
from stream.core.units import FOREVER_MS
from stream.engine import Arrival, EngineError, Exit, Peek, Record, UnreadBatch
from stream.wire import FUTURE_TOLERANCE_MS, TOO_EARLY, Reason, Rejected, TopicKind, Unknown, decode
from stream.worker.rows.row import OWN_ROWS, LiveRow, StoredRow
from stream.worker.rows.spoilt import anew
from stream.worker.rows.stored import UNREADABLE, read_row

NS_PER_MS = 1_000_000
NOTHING_DUE = Peek(None, 0)
NEVER_SENT = 1 << 62
"""In place of a flush: later than any that was committed."""

RESTING_ROW = (
    rb'\{"applied":\{[^{}\\]*\},(?:"view":"([0-9a-f]+)",(?:"view_flush":(\d+),)?)?'
    rb'"profile":\{"customer":"[^"\\]*",(?:"version":%d,)?%s'
    rb'(?:"next_review_ms":(\d+),)?"first_seen_ms":'
)
"""How a row without outbox begins, of a version and with the meaning that this worker goes on with; groups:
digest and flush of its view, and its review time. Nearly every row matches, and the expression reads some 100
bytes where parsing reads all 2 kB. A row that does not match is parsed."""


class RejectedRecord(Struct, frozen=True):
    """An input record that is no event: the reason, and the whole record for its dead letter."""

    rejected: Rejected
    record: Record
    batch: UnreadBatch | None = None  # the record stands for all records of a batch that cannot be read


class _ProfilePeek(Struct):
    customer: str = ""
    version: int = 1
    meaning: str = ""
    next_review_ms: int | None = None


class _ShadowPeek(Struct):
    next_review_ms: int | None = None


class _RowPeek(Struct):
    profile: _ProfilePeek | None = None
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)
    policies: list[Raw] = field(default_factory=list)
    shadow: _ShadowPeek | None = None
    view: str = ""
    view_flush: int = 0


def why_unread(batch: UnreadBatch) -> Rejected:
    """Why the records of a batch cannot be read, and which ones."""
    reason = Reason.BATCH_TOO_LARGE if batch.too_large else Reason.BATCH_DAMAGED
    offsets = f"offsets {batch.offset} to {batch.last_offset}"
    return Rejected(reason, f"{offsets}: a batch of {batch.stored_bytes:,} bytes; {batch.detail}")


def earlier(a_ms: int | None, b_ms: int | None) -> int | None:
    """The earlier of two instants, either of which may be missing."""
    if a_ms is None or b_ms is None:
        return b_ms if a_ms is None else a_ms
    return min(a_ms, b_ms)


def _wall_ms() -> int:
    return time.time_ns() // NS_PER_MS


def _monotonic_ms() -> int:
    """Milliseconds of a clock that nobody can set; only differences mean something."""
    return time.monotonic_ns() // NS_PER_MS


def _refusal(foreign: ForeignProfileError) -> EngineError:
    """Why the worker stops, before it changes any row."""
    by_policy = isinstance(foreign, OtherMeaningError)
    return EngineError(Exit.CONFIGURATION if by_policy else Exit.DATA_LOSS, str(foreign))


class ProfileCodec:
    """The worker's codec. With `live`, events ahead of the wall clock are rejected.

    `partition_count`, of every topic, may be set until the first record is decoded. `meaning` is the digest
    of what facts mean by the worker's policy. `views`: STREAM_PROFILES_VIEW. EngineError, whatever is asked
    of a row: it is of a later version, or its facts mean something else.
    """

    def __init__(
        self,
        topic_kinds: Mapping[str, TopicKind],
        partition_count: int,
        *,
        live: bool,
        meaning: str = "",
        views: Literal["on", "off", "anew"] = "off",
    ) -> None:
        self._topic_kinds = topic_kinds
        self.partition_count = partition_count
        self._latest_ms = 0 if live else FOREVER_MS
        """Events up to this time are accepted without reading the clock again."""
        self._wall_ahead_ms = _wall_ms() - _monotonic_ms()
        stated = b'"meaning":"%s",' % meaning.encode() if meaning else b""
        self._meaning, self._views = meaning, views
        self._resting = re.compile(RESTING_ROW % (PROFILE_VERSION, stated)).match
        self._load = msgspec.json.Decoder(StoredRow).decode
        self._peek = msgspec.json.Decoder(_RowPeek).decode
        self.encode_row = LiveRow.encode

    def decode(self, topic: str, partition: int, record: Record) -> Arrival:
        """An input record as an Arrival. A record that is no event arrives as a RejectedRecord, so that its
        dead letter is sent before its offset is committed."""
        key = record.key
        event = decode(
            self._topic_kinds[topic],
            key,
            record.value,
            record.headers,
            partition=partition,
            partition_count=self.partition_count,
        )
        kind = type(event)
        if kind is Rejected:
            return Arrival(key or b"", None, RejectedRecord(event, record), topic, partition, record.offset)  # type: ignore[arg-type]
        if kind is Unknown:
            return Arrival(key or b"", None, event, topic, partition, record.offset)
        at_ms = event.time_ms  # type: ignore[union-attr]
        if at_ms > self._latest_ms and self._is_too_early(at_ms):
            return Arrival(
                key or b"", None, RejectedRecord(TOO_EARLY, record), topic, partition, record.offset
            )
        complete_to_ms = at_ms if kind is ClockTicked else None
        arrival = Arrival(key, at_ms, event, topic, partition, record.offset, complete_to_ms)  # type: ignore[arg-type]
        if kind in PUBLICATIONS:
            arrival.for_all = True
        return arrival

    def reject(self, topic: str, partition: int, batch: UnreadBatch) -> Arrival:
        """Records that cannot be read as one RejectedRecord, whose detail names their offsets."""
        return Arrival(
            b"", None, RejectedRecord(why_unread(batch), batch, batch), topic, partition, batch.offset
        )

    def _is_too_early(self, at_ms: int) -> bool:
        """Read the clock, and say whether an event is more than FUTURE_TOLERANCE_MS ahead of it.

        A wall clock that is set back while the worker runs must not reject events that are on time, so the
        wall time at the start plus the monotonic time since then counts as well.
        """
        self._latest_ms = max(_wall_ms(), self._wall_ahead_ms + _monotonic_ms()) + FUTURE_TOLERANCE_MS
        return at_ms > self._latest_ms

    def decode_row(self, key: bytes, row: bytes) -> LiveRow:
        """A stored row as a live one; a customer whose row cannot be read starts anew (rows/spoilt.py).

        A row of the worker's own that cannot be read raises: without it all customers would be judged
        otherwise.
        """
        try:
            stored = read_row(row)
            if stored.profile is not None:
                check_meaning(stored.profile.meaning, self._meaning)
            if self._views == "off":
                stored.view, stored.view_flush = "", 0  # from now on nobody knows what was said last
            return LiveRow(stored, row)
        except ForeignProfileError as foreign:
            raise _refusal(foreign) from foreign
        except UNREADABLE as wrong:
            if key.startswith(OWN_ROWS):
                raise
            return anew(row, wrong)

    def timer_ms(self, state: LiveRow) -> int | None:
        """The event time of the customer's next review, by whichever policy; None: none is planned."""
        profile = state.profile
        if profile is None:
            return None
        if state.shadow is not None:
            return earlier(profile.next_review_ms, state.shadow.next_review_ms)
        return profile.next_review_ms

    def peek(self, row: bytes) -> Peek:
        """Review time and outbox of a stored row; for a row without profile also the offsets it waits for.

        A row that cannot be read is due at once, so that it is set aside; its outbox may be legible.
        """
        if known := self._resting(row):
            unsent = self._unsent_view(known[1], int(known[2] or 0))
            return Peek(int(known[3]) if known[3] else None, unsent)
        try:
            return self._peeked(row)
        except UNREADABLE as wrong:
            return Peek(0, anew(row, wrong).outbox_flush)

    def _peeked(self, row: bytes) -> Peek:
        seen = self._peek(row)
        if seen.profile is not None:
            try:
                check_version(seen.profile.version)
                check_meaning(seen.profile.meaning, self._meaning)
            except ForeignProfileError as foreign:
                raise _refusal(foreign) from foreign
            if not seen.profile.customer:  # a bar (rows/bars.py)
                return NOTHING_DUE
            unsent = max(seen.outbox_flush, self._unsent_view(seen.view, seen.view_flush))
            due_ms = seen.profile.next_review_ms
            return Peek(earlier(due_ms, seen.shadow.next_review_ms) if seen.shadow else due_ms, unsent)
        if seen.models or seen.policies:
            return Peek(None, seen.outbox_flush)
        unsent = max(seen.outbox_flush, self._unsent_view(seen.view, seen.view_flush))
        return Peek(None, unsent, self._load(row).applied)

    def _unsent_view(self, view: str | bytes | None, flush: int) -> int:
        """The flush that the row's view belongs to; NEVER_SENT: it is to be written at this start."""
        if self._views == "off":
            return 0
        return flush if view and self._views == "on" else NEVER_SENT

    def applied(self, row: bytes) -> Mapping[str, int]:
        """`StoredRow.applied` of a stored row; of one that cannot be read, as far as it is legible."""
        try:
            return self._load(row).applied
        except UNREADABLE as wrong:
            return anew(row, wrong).applied
