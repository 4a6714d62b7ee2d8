"""An encoded event on its way to a file or to Kafka."""

from __future__ import annotations

from typing import NamedTuple

from stream.core.events.event import RANK, Event
from stream.wire import encode_event


class OutgoingEvent(NamedTuple):
    """Sorts by time, then by the rank of its topic, then by id, as replay does."""

    time_ms: int
    rank: int
    id: str
    sequence: int
    """Number of the event in the order in which events were built: tells equal ids apart."""
    subject: str
    value: bytes
    """One line of JSON without its end."""


def outgoing(event: Event, sequence: int) -> OutgoingEvent:
    """Encode an event."""
    rank, value = RANK[type(event)], encode_event(event)
    return OutgoingEvent(event.time_ms, rank, event.id, sequence, event.subject, value)
