"""One line a minute of what a worker did, and one at its end; a minute in which nothing happened has none."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from stream.engine import EngineApp

EVERY_S = 60.0
CHECK_EVERY_S = 1.0
COUNTED = ("events", "alerts", "dead_letters")

log = structlog.get_logger("stream.worker")


class WorkSummary:
    """Of the counts that `totals` holds by the names in COUNTED."""

    def __init__(
        self,
        totals: Mapping[str, int],
        waiting: Callable[[], tuple[int, float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waiting` gives the records that wait, and for how many seconds the oldest has; `clock` seconds."""
        self._totals, self._waiting, self._clock = totals, waiting, clock
        self._before = Counter[str]()
        self._began_s = self._line_s = clock()

    async def watch(self, app: EngineApp[Any]) -> None:
        """Check every second until the app stops."""
        while not app.should_stop:
            self.check()
            await asyncio.sleep(CHECK_EVERY_S)

    def check(self) -> None:
        """Log the line when it is due."""
        if self._clock() - self._line_s < EVERY_S:
            return
        self._line_s = self._clock()
        now = Counter({name: self._totals.get(name, 0) for name in COUNTED})
        new = {name: now[name] - self._before[name] for name in COUNTED}
        records, seconds = self._waiting()
        self._before = now
        if any(new.values()) or records:
            log.info("the last minute", **new, waiting_records=records, waiting_s=round(seconds, 1))

    def end(self) -> None:
        """Log the last line."""
        whole = {name: self._totals.get(name, 0) for name in COUNTED}
        log.info("stopping", **whole, ran_s=round(self._clock() - self._began_s))
