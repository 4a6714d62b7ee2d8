"""The plug-in of an application, and the moments that a lane gives to it.

The engine itself sees keys, times and bytes. What a record or a row means is the codec's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

State = TypeVar("State")
"""A row as a live object: whatever type the application works with."""
Headers = Sequence[tuple[str, bytes]]
SentHeaders = Sequence[tuple[str, bytes | None]]
"""Of a record to be sent; a value may be missing, as it may in Kafka."""


class Record(Protocol):
    """One Kafka record, as aiokafka's parser gives it. `timestamp` is Kafka's own, in ms since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class UnreadBatch(Record, Protocol):
    """Records that cannot be read, as one without key and value: a batch that is too large or damaged."""

    last_offset: int  # `offset` is that of the first of them
    too_large: bool  # more than `max_batch_bytes` when decompressed
    detail: str
    stored_bytes: int  # as they are in the log


class Arrival(msgspec.Struct, gc=False):
    """One input record after `Codec.decode`.

    A record that cannot be decoded is an arrival too, with the rejection as its `event`: so its dead letter
    leaves before its offset is committed.
    """

    key: bytes  # of the row that the event belongs to
    time_ms: int | None  # event time; None: the time of the record before it in the topic
    event: Any
    topic: str
    partition: int
    offset: int
    complete_to_ms: int | None = (
        None  # of a tick: no earlier record of the reference source is to be expected
    )
    order_ms: int = 0
    """Set by the engine: the highest event time of the topic so far, by which topics are merged; -FOREVER_MS
    before the first record that has one."""
    for_all: bool = False  # rows of other keys may count this record as applied, too
    more: bool = False  # set by the engine: the next moment is an arrival of the same key and `order_ms`


class Timer(NamedTuple):
    """The time has come that `Codec.timer_ms` named for this row. `Lane.put` sets the row's next timer."""

    key: bytes
    at_ms: int


class Unsent(NamedTuple):
    """After a restart: the records in this row's outbox were perhaps not sent, and must be sent again."""

    key: bytes


Moment = Arrival | Timer | Unsent


class Peek(NamedTuple):
    """What the engine needs to know of each stored row at a start, without decoding all of it."""

    timer_ms: int | None
    outbox_flush: int  # the number of the flush that the row's outbox belongs to; 0: the outbox is empty
    delete_after: Mapping[str, int] | None = (
        None  # of a row with `Lane.delete_after`: the offsets given there
    )


class Codec(Protocol[State]):
    """Decodes and encodes for one application. Pure and quick: it is called on the event loop."""

    def decode(self, topic: str, partition: int, record: Record) -> Arrival | None:
        """An input record; None skips it (its offset counts as read). Must not raise for bad input."""

    def reject(self, topic: str, partition: int, batch: UnreadBatch) -> Arrival:
        """Records that cannot be read, as one rejected record at the first of their offsets."""

    def decode_row(self, key: bytes, row: bytes) -> State:
        """A row of the changelog as a live object."""

    def encode_row(self, state: State) -> bytes:
        """A live row as the bytes that go to the changelog."""

    def timer_ms(self, state: State) -> int | None:
        """The event time of the row's next `Timer`; None: it needs none."""

    def peek(self, row: bytes) -> Peek:
        """The timer and the outbox of a stored row. Called for every row at a start: it should be cheap."""

    def applied(self, row: bytes) -> Mapping[str, int]:
        """Topic -> the next offset of it that a stored row has not applied yet.

        The record before that offset belongs to the row's own key, or is `for_all`: it is read again to check
        the topic when Kafka has lost the offsets of the group (start/spot_check.py).
        """
