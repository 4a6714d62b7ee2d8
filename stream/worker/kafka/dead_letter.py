"""Dead letters: a rejected record is sent on unchanged, with headers that say where it came from and why.

The headers are those of Kafka Connect's dead-letter queue, as text, so that existing tools can read them;
our own begin with `x-dlq-`. The producer's headers are kept behind the prefix `x-original.`: whatever their
names, none can be taken for one of ours. The id is topic, partition and offset, so a record that is rejected
twice has the same id. When too many records are rejected, the fault is more likely in this program or its
settings than in the input; DeadLetterLimit then stops the worker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from stream import __version__

COPY_BYTES_MAX = 900_000
"""Key, value and headers of a dead letter together; librdkafka's default message.max.bytes is 1,000,000."""
KEY_BYTES_MAX = 65_536
"""Our keys have at most 1,024 bytes (256 characters); a longer one is garbage."""
HEADER_BYTES_MAX = 65_536
"""Original headers that are kept; they must leave room for the value."""
DETAIL_CHARACTERS_MAX = 1_000
VARINT_BYTES = 5
"""Kafka writes the length of a header's name and of its value as a varint of at most 5 bytes."""

OUR_HEADERS = ("__connect.errors.", "x-dlq-")
ORIGINAL = "x-original."
"""Prefix of the producer's own headers."""

Header = tuple[str, bytes | None]
HeaderList = list[Header]


class InputRecord(Struct, frozen=True):
    """The rejected record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Iterable[Header] = ()
    unread: tuple[int, int] | None = None
    """Of a batch that cannot be read, in place of key and value: its last offset, its size in the log."""


class DeadLetter(Struct, frozen=True):
    """The record as it is sent to the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: HeaderList

    @property
    def id(self) -> str:
        """`topic/partition/offset` of the rejected record."""
        return (dict(self.headers)["x-dlq-id"] or b"").decode()


def dead_letter(
    record: InputRecord, reason: str, detail: str, stage: str = "decode", letter_id: str = ""
) -> DeadLetter:
    """The dead letter of a record. Only what would not fit is cut; a header then gives the true size.

    `letter_id`: by default `topic/partition/offset`.
    """
    kept, dropped = _headers_that_fit(record.headers)
    headers = kept + _own_headers(record, reason, detail, stage, letter_id)
    key = record.key if record.key is None else record.key[:KEY_BYTES_MAX]
    room = COPY_BYTES_MAX - len(key or b"") - sum(_size(header) for header in headers)
    value = record.value if record.value is None else record.value[:room]
    for name, original, copy in (("key", record.key, key), ("value", record.value, value)):
        if original is not None and copy is not None and len(copy) < len(original):
            headers.append((f"x-dlq-truncated-{name}-bytes", str(len(original)).encode()))
    if record.unread is not None:
        last_offset, stored_bytes = record.unread
        headers.append(("x-dlq-last-offset", str(last_offset).encode()))
        headers.append(("x-dlq-truncated-value-bytes", str(stored_bytes).encode()))
    if dropped:
        headers.append(("x-dlq-dropped-headers", str(dropped).encode()))
    return DeadLetter(key, value, headers)


def original_headers(headers: Iterable[Header]) -> HeaderList:
    """The producer's headers as they were, out of those of a dead letter.

    Dead letters of before have no prefix in front of them: there all that are not ours are the producer's.
    """
    return [
        (name.removeprefix(ORIGINAL), value) for name, value in headers if not name.startswith(OUR_HEADERS)
    ]


def _own_headers(record: InputRecord, reason: str, detail: str, stage: str, letter_id: str) -> HeaderList:
    values = {
        "__connect.errors.topic": record.topic,
        "__connect.errors.partition": str(record.partition),
        "__connect.errors.offset": str(record.offset),
        "__connect.errors.stage": stage,
        "__connect.errors.exception.class.name": reason,
        "__connect.errors.exception.message": detail[:DETAIL_CHARACTERS_MAX],
        "x-dlq-id": letter_id or f"{record.topic}/{record.partition}/{record.offset}",
        "x-dlq-reason": reason,
        "x-dlq-app-version": __version__,
    }
    return [(name, text.encode("utf-8", "replace")) for name, text in values.items()]


def _headers_that_fit(headers: Iterable[Header]) -> tuple[HeaderList, int]:
    """The original headers, prefixed, up to HEADER_BYTES_MAX, and the number of those left out."""
    kept: HeaderList = []
    room, dropped = HEADER_BYTES_MAX, 0
    for name, value in headers:
        header = (ORIGINAL + name, value)
        room -= _size(header)
        if room >= 0:
            kept.append(header)
        else:
            dropped += 1
    return kept, dropped


def _size(header: Header) -> int:
    return len(header[0].encode("utf-8", "replace")) + len(header[1] or b"") + 2 * VARINT_BYTES


class DeadLetterLimit:
    """Too many of the latest `window` records were rejected: more than `count_max` and than `share_max`.

    Counting records instead of time makes the worker stop at the same record when the input is read again.
    The window consists of whole batches: the oldest batch leaves it when the others have `window` records.
    """

    def __init__(self, window: int, count_max: int, share_max: float) -> None:
        self._window, self._count_max, self._share_max = window, count_max, share_max
        self._batches: deque[tuple[int, int]] = deque()
        self.total = self.rejected = 0

    def count(self, total: int, rejected: int) -> str | None:
        """Add a batch of `total` records; the message to stop with when the limit is exceeded, else None."""
        assert 0 <= rejected <= total, "more records rejected than read"
        if self._window == 0 or total == 0:
            return None
        self._batches.append((total, rejected))
        self.total += total
        self.rejected += rejected
        while self.total - self._batches[0][0] >= self._window:
            old_total, old_rejected = self._batches.popleft()
            self.total -= old_total
            self.rejected -= old_rejected
        if self.rejected > self._count_max and self.rejected > self._share_max * self.total:
            return (
                f"{self.rejected:,} of the last {self.total:,} records were rejected; the limit is "
                f"{self._count_max:,} and {self._share_max:.0%} (STREAM_DEADLETTER_*)"
            )
        return None
