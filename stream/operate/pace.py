"""How fast a group works: what it has committed, looked at again a few seconds later."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct

LAG_MAX = 100_000
"""A smaller lag is work at hand and not worth a second look."""
LOOK_EVERY_S = 1.5
PATIENCE_S = 15.0
"""A worker that catches up commits every five seconds; reading the table back after a start takes longer."""

Ends = Mapping[tuple[str, int], tuple[int, int]]
Committed = Mapping[tuple[str, int], int]


class Pace(Struct, frozen=True):
    """Two looks: how many events waited at the second one, and what happened in between."""

    waiting: int
    read: int
    came: int
    seconds: float

    @property
    def shrinks(self) -> bool:
        return self.read > self.came

    @property
    def seconds_left(self) -> float:
        """At the present pace; only where the lag shrinks."""
        return self.waiting * self.seconds / (self.read - self.came)


def waiting(ends: Ends, committed: Committed) -> int:
    """Events of these partitions that are not worked off."""
    return sum(max(high - committed.get(place, low), 0) for place, (low, high) in ends.items())


def look_again(ends: Ends, committed: Committed, look: Callable[[], tuple[Ends, Committed]]) -> Pace | None:
    """Once more when much is waiting, and as long as it does not become less; None when little is."""
    before = waiting(ends, committed)
    if before <= LAG_MAX:
        return None
    started = time.monotonic()
    while True:
        time.sleep(LOOK_EVERY_S)
        ends_now, committed_now = look()
        seconds = time.monotonic() - started
        came = sum(high for _, high in ends_now.values()) - sum(high for _, high in ends.values())
        left = waiting(ends_now, committed_now)
        pace = Pace(left, before + came - left, came, seconds)
        if pace.shrinks or seconds >= PATIENCE_S:
            return pace
