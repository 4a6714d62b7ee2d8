"""Whether a group of workers keeps up: its lag, read several times within some seconds.

Workers commit in steps, some seconds of events at once (docs/decisions/0012). A single reading of the lag can
therefore look bad although all is well. So the rate is measured from one commit to another, and the lag is
judged by the time that the workers need for it, not by the number of events alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct

LAG_MAX = 100_000
"""Events. With a smaller lag nothing is measured: a worker reads so many within seconds."""
READ_EVERY_S = 1.5
"""Between two readings: several fit into one commit interval, so that its commit is seen soon."""
COMMIT_EVERY_S = 5.0
"""The default of STREAM_FLUSH_INTERVAL_MS. A busy worker with a shorter interval commits no sooner."""
PATIENCE_S = 3 * COMMIT_EVERY_S
"""Measure no longer than this at the default interval; after it a worker may still be reading its table."""
KEPT_UP_COMMITS = 2
"""A lag of two commit intervals is normal: one is about to be committed, one is being read."""

Ends = Mapping[tuple[str, int], tuple[int, int]]
"""Topic and partition -> first stored offset, next offset."""
Committed = Mapping[tuple[str, int], int]
"""Topic and partition -> committed offset."""


class LagTrend(Struct, frozen=True):
    """Two readings of a group: the lag at the second one, and what was read and arrived in between."""

    lag: int
    read: int
    arrived: int
    seconds: float
    """Between the two readings."""
    commit_every_s: float = COMMIT_EVERY_S

    @property
    def keeps_up(self) -> bool:
        """Whether the group's lag (records, all partitions together) is that of healthy workers.

        They commit every `commit_every_s`: at the rate they read, records of KEPT_UP_COMMITS intervals may be
        uncommitted.
        """
        return self.lag * self.seconds <= self.read * KEPT_UP_COMMITS * self.commit_every_s

    @property
    def shrinks(self) -> bool:
        """The workers read more than arrived."""
        return self.read > self.arrived

    @property
    def surely_shrinks(self) -> bool:
        """As `shrinks`, allowing for the two readings being seen up to READ_EVERY_S after their commits."""
        return self.read * (1.0 - READ_EVERY_S / self.seconds) > self.arrived

    @property
    def seconds_left(self) -> float:
        """Until the lag is zero at the current rates. Only meaningful when the lag shrinks."""
        return self.lag * self.seconds / (self.read - self.arrived)

    @property
    def seconds_behind(self) -> float:
        """The age of what is read now, at the current rate. Only meaningful when something is read."""
        return self.lag * self.seconds / self.read


class _LagReading(Struct, frozen=True):
    at_s: float
    ends: Ends
    committed: Committed

    def since(self, before: _LagReading, commit_every_s: float) -> LagTrend:
        arrived = sum(high for _, high in self.ends.values()) - sum(high for _, high in before.ends.values())
        lag = total_lag(self.ends, self.committed)
        read = total_lag(before.ends, before.committed) + arrived - lag
        return LagTrend(lag, read, arrived, self.at_s - before.at_s, commit_every_s)


def total_lag(ends: Ends, committed: Committed) -> int:
    """Events of these partitions after the committed offsets."""
    return sum(max(high - committed.get(place, low), 0) for place, (low, high) in ends.items())


def measure_trend(
    ends: Ends,
    committed: Committed,
    read_again: Callable[[], tuple[Ends, Committed]],
    commit_every_s: float = COMMIT_EVERY_S,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LagTrend | None:
    """Read a large lag again until it is clear that the workers keep up or catch up, or patience ends.

    None when the lag is at most LAG_MAX. `clock` and `sleep` are arguments for the tests.
    """
    if total_lag(ends, committed) <= LAG_MAX:
        return None
    commit_every_s = max(commit_every_s, COMMIT_EVERY_S)
    first = last = _LagReading(clock(), ends, committed)
    first_commit: _LagReading | None = None
    trend: LagTrend | None = None
    while True:
        sleep(READ_EVERY_S)
        now = _LagReading(clock(), *read_again())
        if now.committed != last.committed:
            trend = now.since(first_commit, commit_every_s) if first_commit else None
            first_commit = first_commit or now
            if trend and trend.seconds >= commit_every_s and (trend.keeps_up or trend.surely_shrinks):
                return trend
        if now.at_s - first.at_s >= PATIENCE_S * commit_every_s / COMMIT_EVERY_S:
            return trend or now.since(first, commit_every_s)
        last = now
