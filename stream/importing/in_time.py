"""One order for all events: event time, then the topic's rank, then the id. Equal input, equal output."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from stream.core.events.event import RANK, Event

InTime = tuple[datetime, int, str]


def in_time(event: Event) -> InTime:
    """The key by which every reader sorts."""
    return event.time, RANK[type(event)], event.id


def merged(*streams: Iterable[Event]) -> Iterator[Event]:
    """Several streams, each in time order, as one."""
    return heapq.merge(*streams, key=in_time)
