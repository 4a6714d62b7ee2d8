"""The same events as an unreliable network delivers them: some twice, some late, some out of order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from stream.core.events.event import Event


class Disorder(Struct, frozen=True, kw_only=True):
    """Shares of all events, 0 to 1. All other events arrive at their event time."""

    duplicates: float = 0.0
    """Delivered again under the same id, up to an hour later."""
    late: float = 0.0
    late_hours_max: float = 72.0
    shuffled: float = 0.0
    shuffled_seconds_max: float = 300.0


def disordered(events: Iterable[Event], disorder: Disorder, seed: int) -> Iterator[Event]:
    """The events in order of arrival; their time, ids and content do not change."""
    random = Random(f"{seed}:disorder")
    waiting: list[tuple[datetime, int, Event]] = []
    number = 0
    for event in events:
        while waiting and waiting[0][0] < event.time:
            yield heapq.heappop(waiting)[2]
        for delay in _delays(disorder, random):
            heapq.heappush(waiting, (event.time + delay, number, event))
            number += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def _delays(disorder: Disorder, random: Random) -> Iterator[timedelta]:
    if random.random() < disorder.late:
        delay = timedelta(hours=random.uniform(0.1, disorder.late_hours_max))
    elif random.random() < disorder.shuffled:
        delay = timedelta(seconds=random.uniform(0, disorder.shuffled_seconds_max))
    else:
        delay = timedelta()
    yield delay
    if random.random() < disorder.duplicates:
        yield delay + timedelta(seconds=random.uniform(0, 3_600))
