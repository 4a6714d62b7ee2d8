"""A record that cannot be an event goes on unchanged, with headers that say where it came from and why.

Headers are those of Kafka Connect, as text, so that known tools read them; ours begin with `x-dlq-`. The id
is made of topic, partition and offset: the same record twice is the same dead letter. Too many of them mean
that not the input but this program is wrong, and DeadLetterLimit stops it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from stream import __version__

COPY_BYTES_MAX = 900_000
"""Key, value and headers of a dead letter together; Kafka's default limit for one record is 1,000,000."""
KEY_BYTES_MAX = 65_536
HEADER_BYTES_MAX = 65_536
DETAIL_CHARACTERS_MAX = 1_000

Header = tuple[str, bytes | None]
HeaderList = list[Header]


class InputRecord(Struct, frozen=True):
    """The record as it came in."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Iterable[Header] = ()


class DeadLetter(Struct, frozen=True):
    """The record as it goes out."""

    key: bytes | None
    value: bytes | None
    headers: HeaderList

    @property
    def id(self) -> str:
        return (dict(self.headers)["x-dlq-id"] or b"").decode()


def dead_letter(source: InputRecord, reason: str, detail: str, stage: str = "decode") -> DeadLetter:
    """What to send. Only a record that would not fit is cut, and then a header gives its true size."""
    kept, dropped = _headers_that_fit(source.headers)
    headers = kept + _own_headers(source, reason, detail, stage)
    key = source.key if source.key is None else source.key[:KEY_BYTES_MAX]
    room = COPY_BYTES_MAX - len(key or b"") - sum(_size(header) for header in headers)
    value = source.value if source.value is None else source.value[:room]
    for name, original, copy in (("key", source.key, key), ("value", source.value, value)):
        if original is not None and copy is not None and len(copy) < len(original):
            headers.append((f"x-dlq-truncated-{name}-bytes", str(len(original)).encode()))
    if dropped:
        headers.append(("x-dlq-dropped-headers", str(dropped).encode()))
    return DeadLetter(key, value, headers)


def _own_headers(source: InputRecord, reason: str, detail: str, stage: str) -> HeaderList:
    where = f"{source.topic}/{source.partition}/{source.offset}"
    told = {
        "__connect.errors.topic": source.topic,
        "__connect.errors.partition": str(source.partition),
        "__connect.errors.offset": str(source.offset),
        "__connect.errors.stage": stage,
        "__connect.errors.exception.class.name": reason,
        "__connect.errors.exception.message": detail[:DETAIL_CHARACTERS_MAX],
        "x-dlq-id": where,
        "x-dlq-reason": reason,
        "x-dlq-app-version": __version__,
    }
    return [(name, text.encode("utf-8", "replace")) for name, text in told.items()]


def _headers_that_fit(headers: Iterable[Header]) -> tuple[HeaderList, int]:
    """The original headers up to HEADER_BYTES_MAX, and how many were left out."""
    kept: HeaderList = []
    room, dropped = HEADER_BYTES_MAX, 0
    for header in headers:
        room -= _size(header)
        if room >= 0:
            kept.append(header)
        else:
            dropped += 1
    return kept, dropped


def _size(header: Header) -> int:
    return (
        len(header[0].encode("utf-8", "replace")) + len(header[1] or b"") + 10
    )  # two lengths, varints of up to 5 bytes


class DeadLetterLimit:
    """How many of the last records may be rejected; counted in records, so that a replay stops alike.

    The window is kept in whole batches: the oldest is let go once the others cover the window by themselves.
    """

    def __init__(self, window: int, count_max: int, share_max: float) -> None:
        self._window, self._count_max, self._share_max = window, count_max, share_max
        self._batches: deque[tuple[int, int]] = deque()
        self.total = self.rejected = 0

    def count(self, total: int, rejected: int) -> str | None:
        """Add a batch; the line to stop with when there are too many, else None."""
        assert 0 <= rejected <= total, "more rejected than there were"
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
