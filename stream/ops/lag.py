"""How fast a group works: what it has committed, looked at again and again for some seconds.

Workers commit in steps, some seconds of events at once (docs/decisions/0012). So the pace is measured from
one step to another, and what waits is judged by how long the workers need for it, not by its number alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct

LAG_MAX = 100_000
"""A smaller lag is work at hand and not worth a second look."""
LOOK_EVERY_S = 1.5
STEP_S = 5.0
"""The usual STREAM_FLUSH_INTERVAL_MS; with less a busy worker is no quicker to commit."""
PATIENCE_S = 3 * STEP_S
"""With the usual steps; reading the table back after a start takes longer."""
KEPT_UP_STEPS = 2
"""So many steps of events may wait when nothing is wrong: one to be committed, one to come."""

Ends = Mapping[tuple[str, int], tuple[int, int]]
Committed = Mapping[tuple[str, int], int]


class Pace(Struct, frozen=True):
    """Two looks: how many events waited at the second one, and what happened in between."""

    waiting: int
    read: int
    came: int
    seconds: float
    step_s: float = STEP_S

    @property
    def keeps_up(self) -> bool:
        """What waits is what a worker in order has read and not committed yet."""
        return self.waiting * self.seconds <= self.read * KEPT_UP_STEPS * self.step_s

    @property
    def shrinks(self) -> bool:
        return self.read > self.came

    @property
    def surely_shrinks(self) -> bool:
        """Also when the two looks were not equally long after a step."""
        return self.read * (1.0 - LOOK_EVERY_S / self.seconds) > self.came

    @property
    def seconds_left(self) -> float:
        """At the present pace; only where the lag shrinks."""
        return self.waiting * self.seconds / (self.read - self.came)

    @property
    def seconds_behind(self) -> float:
        """How long ago what is read now came, at the present pace; only where something is read."""
        return self.waiting * self.seconds / self.read


class _Sight(Struct, frozen=True):
    at_s: float
    ends: Ends
    committed: Committed

    def since(self, before: _Sight, step_s: float) -> Pace:
        came = sum(high for _, high in self.ends.values()) - sum(high for _, high in before.ends.values())
        left = waiting(self.ends, self.committed)
        read = waiting(before.ends, before.committed) + came - left
        return Pace(left, read, came, self.at_s - before.at_s, step_s)


def waiting(ends: Ends, committed: Committed) -> int:
    """Events of these partitions that are not worked off."""
    return sum(max(high - committed.get(place, low), 0) for place, (low, high) in ends.items())


def look_again(
    ends: Ends,
    committed: Committed,
    look: Callable[[], tuple[Ends, Committed]],
    step_s: float = STEP_S,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Pace | None:
    """Where much is waiting: the pace, as soon as it is clear that all is well; None when little is."""
    if waiting(ends, committed) <= LAG_MAX:
        return None
    step_s = max(step_s, STEP_S)
    first = last = _Sight(clock(), ends, committed)
    begun: _Sight | None = None
    pace: Pace | None = None
    while True:
        sleep(LOOK_EVERY_S)
        now = _Sight(clock(), *look())
        if now.committed != last.committed:  # a step was made since
            pace = now.since(begun, step_s) if begun else None
            begun = begun or now
            if pace and pace.seconds >= step_s and (pace.keeps_up or pace.surely_shrinks):
                return pace
        if now.at_s - first.at_s >= PATIENCE_S * step_s / STEP_S:
            return pace or now.since(first, step_s)
        last = now
