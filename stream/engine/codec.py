"""What the engine asks of its user, and the moments it gives back: keys, times and bytes, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

State = TypeVar("State")
Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """A raw Kafka record, as aiokafka's parser gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Arrival(msgspec.Struct, gc=False):
    """One input record, decoded. What could not be decoded arrives too, so that it is accounted for.

    `time_ms` is event time; None means the time of its predecessor in the topic, for records that cannot be
    trusted to have one. `complete_to_ms` is for ticks: no input earlier than this is still to come. With
    `for_all` rows of other keys may note it as applied, too.
    """

    key: bytes
    time_ms: int | None
    event: Any
    topic: str
    partition: int
    offset: int
    complete_to_ms: int | None = None
    order_ms: int = 0  # the time by which the engine gave it out: never decreasing within a topic
    for_all: bool = False


class Timer(NamedTuple):
    """The time that a row asked to be looked at again has come. The row asks anew by being put back."""

    key: bytes
    at_ms: int


class Unsent(NamedTuple):
    """A recovered row whose outbox was filled in a flush that was never committed: send it again."""

    key: bytes


Moment = Arrival | Timer | Unsent


class Peek(NamedTuple):
    """What the engine must know of a stored row without decoding all of it."""

    timer_ms: int | None
    outbox_flush: int  # the number of the flush that the row's outbox belongs to, 0 for an empty outbox
    leaving: Mapping[str, int] | None = None  # of a row that was left (Lane.leave): up to which offsets


class Codec(Protocol[State]):
    """The plug-in: bytes to meaning and back. Pure; called on the event loop, so it must not block."""

    def decode(self, topic: str, partition: int, record: Record) -> Arrival | None:
        """None passes the record by; it still counts as read. Never raises for bad input."""

    def decode_row(self, key: bytes, row: bytes) -> State:
        """A row of the changelog as a live object."""

    def encode_row(self, state: State) -> bytes:
        """The row as it is written to the changelog."""

    def timer_ms(self, state: State) -> int | None:
        """When this row wants to be looked at again, in event time."""

    def peek(self, row: bytes) -> Peek:
        """timer_ms and outbox of a stored row, cheaply."""

    def applied(self, row: bytes) -> Mapping[str, int]:
        """Of a stored row: topic -> the next offset that is new to it.

        The record before that offset arrived under the row's own key, or `for_all`: it is looked up when
        Kafka has forgotten the group's offsets (stream/engine/start/witnesses.py).
        """
