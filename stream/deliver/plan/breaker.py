"""A circuit breaker: an endpoint that fails is left alone, and asked now and then whether it is back.

closed     attempts are made; opens when at least half of at least ten attempts in five minutes failed
open       no attempt for a pause: 30 seconds, doubled after every failed probe, up to 15 minutes
half open  the pause is over: one attempt (the probe) decides. Accepted: closed. Failed: open again

Attempts that the breaker holds back count for nothing in the schedule of their alerts.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from stream.core.units import FOREVER_MS, MINUTE_MS, SECOND_MS

WINDOW_MS = 5 * MINUTE_MS
ATTEMPTS_MIN = 10
PAUSE_MIN_MS, PAUSE_MAX_MS = 30 * SECOND_MS, 15 * MINUTE_MS
UNLIMITED = 1 << 30

BreakerState = Literal["closed", "open", "half_open"]


class Breaker:
    """Of one endpoint, in one process. A new one is closed."""

    def __init__(self) -> None:
        self._finished: deque[tuple[int, bool]] = deque()
        self._failed = 0
        self._pause_ms = 0
        self._until_ms = 0
        self._probing = False

    def state(self, at_ms: int) -> BreakerState:
        """At an instant."""
        if not self._pause_ms:
            return "closed"
        return "open" if at_ms < self._until_ms else "half_open"

    def room(self, at_ms: int) -> int:
        """How many attempts may start now."""
        state = self.state(at_ms)
        if state == "closed":
            return UNLIMITED
        return 0 if state == "open" or self._probing else 1

    def waits_until_ms(self, at_ms: int) -> int:
        """When an attempt may start again; FOREVER_MS while a probe is under way."""
        if self._pause_ms and self._probing:
            return FOREVER_MS
        return max(at_ms, self._until_ms) if self._pause_ms else at_ms

    def started(self, at_ms: int) -> bool:
        """An attempt starts; returns whether it is the probe, which `finished` must be told."""
        self._probing = self._probing or self.state(at_ms) == "half_open"
        return self._probing

    def finished(self, at_ms: int, *, accepted: bool, probe: bool) -> None:
        """An attempt ended. While the breaker is not closed, only the probe says anything."""
        if probe:
            self._probing = False
            self._open(at_ms, 0 if accepted else min(2 * self._pause_ms, PAUSE_MAX_MS))
        elif not self._pause_ms:
            self._count(at_ms, accepted)
            if len(self._finished) >= ATTEMPTS_MIN and 2 * self._failed >= len(self._finished):
                self._open(at_ms, PAUSE_MIN_MS)

    def _open(self, at_ms: int, pause_ms: int) -> None:
        """Leave the endpoint alone for a pause; a pause of 0 closes the breaker."""
        self._pause_ms, self._until_ms = pause_ms, at_ms + pause_ms
        self._finished.clear()
        self._failed = 0

    def _count(self, at_ms: int, accepted: bool) -> None:
        self._finished.append((at_ms, accepted))
        self._failed += not accepted
        while self._finished[0][0] <= at_ms - WINDOW_MS:
            self._failed -= not self._finished.popleft()[1]
