"""The order in which events are written: event time, then the rank of their topic, then the event id.

No two events are equal in this order, so the same input always gives the same bytes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from stream.core.events.event import RANK, Event

EventOrder = tuple[datetime, int, str]


def event_order(event: Event) -> EventOrder:
    """The sort key."""
    return event.time, RANK[type(event)], event.id


def merge_ordered(*streams: Iterable[Event]) -> Iterator[Event]:
    """Merge streams that are each in order into one."""
    return heapq.merge(*streams, key=event_order)
