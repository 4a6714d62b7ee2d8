"""Logs how many events were not added because nobody can tell whether they came before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from stream.engine import EngineApp

CHECK_EVERY_S = 1.0
QUIET_S = 60.0
"""At least so long between two lines: an export that is sent again has many such events."""

log = logging.getLogger("stream.worker")


class UnsureReport:
    """One line at most in `QUIET_S`; the first such event is told at once."""

    def __init__(self, unsure: Counter[str], now: Callable[[], float] = time.monotonic) -> None:
        """`unsure`: input topic -> unsure events so far; `now` gives seconds."""
        self._unsure = unsure
        self._now = now
        self._logged: Counter[str] = Counter()
        self._logged_at: float | None = None

    async def watch(self, app: EngineApp[Any]) -> None:
        """Check every second until the app stops."""
        while not app.should_stop:
            self.check()
            await asyncio.sleep(CHECK_EVERY_S)

    def check(self) -> None:
        """Log the line when it is due."""
        new = self._unsure - self._logged
        if not new or (self._logged_at is not None and self._now() - self._logged_at < QUIET_S):
            return
        self._logged, self._logged_at = Counter(self._unsure), self._now()
        log.warning(_line(new))


def _line(new: Counter[str]) -> str:
    counts = ", ".join(f"{topic}: {count:,}" for topic, count in sorted(new.items()))
    return (
        f"{new.total():,} events are unsure and were not added ({counts}): they are older than what is "
        "remembered of their customers, so they may have been counted before. For an export that is sent "
        "again this is right. If they are new, send the whole history to new topics (docs/runbook.md, "
        "`Unsure events`)"
    )
