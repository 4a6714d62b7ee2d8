"""The due timers of a lane as they would be given out if nobody waited for anything: strictly in order."""

from __future__ import annotations

from collections.abc import Iterator

from stream.engine import Arrival, Timer
from stream.engine.task.due_timers import DueTimers
from tests.support.pipe import Pipe


class InOrder(DueTimers):
    """Each timer before the first arrival that is not earlier, and all that are due before the lane rests."""

    def before(self, arrival: Arrival) -> Iterator[Timer]:
        yield from self._until(arrival.order_ms)

    def after(self, arrivals: int) -> Iterator[Timer]:
        return iter(())

    def at_rest(self) -> Iterator[Timer]:
        limit_ms = self._clock.idle_limit_ms()
        if limit_ms is not None:
            yield from self._until(limit_ms)


def in_order(pipe: Pipe) -> Pipe:
    """The same lane, whose timers are given out like that."""
    pipe.lane.due = InOrder(pipe.lane.table.timers, pipe.lane.clock)
    return pipe
