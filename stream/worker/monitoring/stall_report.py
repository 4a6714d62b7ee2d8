"""Reports what a worker waits for while purchases are stalled; otherwise it would seem to hang."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from stream.engine import EngineApp, Lane
from stream.metrics import Readings

WARN_AFTER_S = 5.0
"""While a backlog is read, other topics may be ahead of purchases for a moment; that is no reason to warn."""
CHECK_EVERY_S = 1.0

log = logging.getLogger("stream.worker")
Clock = Callable[[], float]
"""Gives the time in seconds."""


def held_lanes(app: EngineApp[Any]) -> Iterator[Lane[Any]]:
    """The lanes whose records wait for a purchase although all purchases on the broker were read."""
    for lane in app.delivery.lanes.values():
        if lane.stalled and all(
            source.caught_up for source in lane.sources if source.topic == app.options.reference
        ):
            yield lane


def held_records(app: EngineApp[Any]) -> Readings:
    """(topic,) -> how many records wait, including those that were not fetched yet."""
    counts: dict[tuple[str, ...], float] = {(topic,): 0.0 for topic in app.options.inputs}
    for lane in held_lanes(app):
        for source in lane.sources:
            counts[source.topic,] += max(0, source.highwater - source.applied)
    return counts


class StallReport:
    """Logs one warning per stall and one line at its end; `notes` are for /readyz while it lasts."""

    def __init__(self, app: EngineApp[Any], control: str, now: Clock = time.monotonic) -> None:
        self._app = app
        self._control = control
        self._now = now
        self._since: float | None = None
        self._warned = False

    async def watch(self) -> None:
        """Check every second until the app stops."""
        while not self._app.should_stop:
            self.check_stall()
            await asyncio.sleep(CHECK_EVERY_S)

    def check_stall(self) -> None:
        """Log the beginning and the end of a stall."""
        if not any(held_lanes(self._app)):
            if self._warned:
                log.info("purchases arrive again; the records that waited for them are applied")
            self._since, self._warned = None, False
            return
        self._since = self._now() if self._since is None else self._since
        if not self._warned and self._now() - self._since >= WARN_AFTER_S:
            self._warned = True
            log.warning(self._line())

    def notes(self) -> list[str]:
        """For /readyz: one line while records are held because no purchases arrive, else an empty list."""
        return [self._line()] if any(held_lanes(self._app)) else []

    def _line(self) -> str:
        app, options = self._app, self._app.options
        count = sum(held_records(app).values())
        newest_ms = app.delivery.progress.reference_ms or 0
        newest = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=newest_ms)).isoformat()
        ahead = timedelta(milliseconds=options.stall_after_ms)
        return (
            f"{options.reference} is silent: its newest event is of {newest}; {count:,.0f} records of other "
            f"topics that are more than {ahead} (STREAM_STALL_AFTER_S) later wait for the next purchase. If "
            f"no purchase will come, send a clock.ticked event of a later time to {self._control}"
        )
