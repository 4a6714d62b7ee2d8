"""The timers of a lane that are due: which come before an arrival, and which take turns with arrivals.

A timer is due when the clock of the lane has reached its time. Whenever it is given out, it is of that time.

1.  In a history, and with `clock="event"`, every timer comes before the first arrival that is not earlier. So
    what leaves the lane is in order of event time, and nobody waits for it.
2.  Where the wall clock moves the lane, people wait for what an arrival leads to, and very many timers may
    be due at one instant, such as the first of a month. There a timer comes before the next arrival of its
    own key. The others take turns with arrivals: `at_once` of them each time that the agent has the lane
    and nothing more is at hand, and one for every ARRIVALS_A_TIMER arrivals, however many come. In between
    the lane is whole: what it has is sent and flushed, and what has come meanwhile goes ahead.
3.  Before an arrival that is `for_all` come all timers that are due: it concerns every row.

Rows of different keys know nothing of each other. So rule 2 changes no row, and of the records that the lane
sends only the order of those of different keys (docs/decisions/0056). A timer that waits is in its row, and
the row in the changelog: whoever goes on after a crash gives it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from stream.engine.codec import Arrival, Timer
from stream.engine.state.timers import Timers
from stream.engine.task.lane_clock import LaneClock
from stream.engine.units import FOREVER_MS

AT_ONCE = 8
"""How many timers the lanes of a worker give out before they look for new arrivals: some 2 ms of reviews at a
border of months, of which one in three ends in an alert. Twenty took three quarters of the time for all of
them, and doubled what an alert waits meanwhile (docs/decisions/0056)."""
ARRIVALS_A_TIMER = 10
"""One review costs as much as two or three events: with as many of them as of events, a worker that has time
for the events alone would be late with these as well."""


class DueTimers:
    """Of one lane."""

    def __init__(self, timers: Timers, clock: LaneClock) -> None:
        self._timers, self._clock = timers, clock
        self.at_once = AT_ONCE  # of a worker with one lane (rule 2)
        self._arrived = 0  # arrivals for which no timer had its turn
        self._may_wait = False
        """Some timers may be due by the clock that were not given out."""

    def start(self) -> None:
        """Once the clock stands where a commit left it: a lane that was live may have left timers waiting."""
        self._may_wait = self._clock.live

    @property
    def reached_ms(self) -> int:
        """Up to which time timers may be due that were not given out; in a history before all."""
        reached_ms = self._clock.time_ms
        return -FOREVER_MS if reached_ms is None or not self._may_wait else reached_ms

    @property
    def waiting(self) -> bool:
        """Some timers are due, and nothing needs to arrive for them to be given out."""
        return self._timers.earliest_ms <= self.reached_ms

    @property
    def count(self) -> int:
        """How many are due and wait. It looks at these alone."""
        return self._timers.count_until(self.reached_ms)

    @property
    def since_ms(self) -> int | None:
        """The time of the one that was due first, or a little earlier; None: none waits."""
        return self._timers.earliest_ms if self.waiting else None

    def left_waiting(self) -> Iterator[Timer]:
        """In a history: those that have waited since the wall clock moved the lane."""
        if self._may_wait and not self._clock.by_wall:
            if self.waiting:
                yield from self._until(self.reached_ms)
            self._may_wait = False

    def before(self, arrival: Arrival) -> Iterator[Timer]:
        """Those that come before an arrival; none if all are later than it and than `reached_ms`."""
        if not self._clock.by_wall:
            yield from self.left_waiting()
            yield from self._until(arrival.order_ms)
            return
        self._may_wait = True
        until_ms = max(arrival.order_ms, self.reached_ms)
        if arrival.for_all:
            yield from self._until(until_ms)
            return
        while (at_ms := self._timers.take(arrival.key, until_ms)) is not None:
            yield Timer(arrival.key, at_ms)

    def after(self, arrivals: int) -> Iterator[Timer]:
        """Those that have their turn when so many arrivals were given out."""
        if self._clock.by_wall:
            timers, self._arrived = divmod(self._arrived + arrivals, ARRIVALS_A_TIMER)
            yield from self._some(timers)

    def at_rest(self) -> Iterator[Timer]:
        """Those that are given out when nothing more is at hand: up to the time that has come by now."""
        limit_ms = self._clock.idle_limit_ms()
        if not self._clock.by_wall:
            if limit_ms is not None:
                yield from self._until(limit_ms)
            return
        self._may_wait = True
        if limit_ms is not None:
            self._clock.advance(limit_ms)
        yield from self._some(self.at_once)

    def _until(self, until_ms: int) -> Iterator[Timer]:
        while timer := self._timers.pop(until_ms):
            at_ms, key = timer
            yield Timer(key, at_ms)
        self._clock.advance(until_ms)

    def _some(self, count: int) -> Iterator[Timer]:
        for _ in range(count):
            timer = self._timers.pop(self.reached_ms)
            if timer is None:
                return
            at_ms, key = timer
            yield Timer(key, at_ms)
