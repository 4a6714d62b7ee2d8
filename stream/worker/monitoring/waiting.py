"""Records held because purchases are silent: what a worker waits for is told, or it looks like a hang."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from stream.engine import EngineApp, Lane
from stream.metrics import Readings

TELL_AFTER_S = 5.0
"""While a backlog is read, engagement may be at hand for a moment before the purchases that come first."""
LOOK_EVERY_S = 1.0

log = logging.getLogger("stream.worker")
Clock = Callable[[], float]


def held_lanes(app: EngineApp[Any]) -> Iterator[Lane[Any]]:
    """Those whose records wait for a purchase although every purchase there is was read."""
    for lane in app.delivery.lanes.values():
        if lane.stalled and all(
            source.caught_up for source in lane.sources if source.topic == app.options.reference
        ):
            yield lane


def held_records(app: EngineApp[Any]) -> Readings:
    """Topic -> how many records wait, also those not fetched yet."""
    counts: dict[tuple[str, ...], float] = {(topic,): 0.0 for topic in app.options.inputs}
    for lane in held_lanes(app):
        for source in lane.sources:
            counts[source.topic,] += max(0, source.highwater - source.applied)
    return counts


class Waiting:
    """Says once per silence what is waited for; `notes` say it as long as it lasts."""

    def __init__(self, app: EngineApp[Any], control: str, now: Clock = time.monotonic) -> None:
        self._app = app
        self._control = control
        self._now = now
        self._since: float | None = None
        self._told = False

    async def watch(self) -> None:
        while not self._app.should_stop:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        if not any(held_lanes(self._app)):
            if self._told:
                log.info("what waited for purchases goes on")
            self._since, self._told = None, False
            return
        self._since = self._now() if self._since is None else self._since
        if not self._told and self._now() - self._since >= TELL_AFTER_S:
            self._told = True
            log.warning(self._line())

    def notes(self) -> list[str]:
        return [self._line()] if any(held_lanes(self._app)) else []

    def _line(self) -> str:
        app, options = self._app, self._app.options
        count = sum(held_records(app).values())
        newest_ms = app.delivery.reference.watermark_ms or 0
        newest = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=newest_ms)).isoformat()
        ahead = timedelta(milliseconds=options.stall_after_ms)
        return (
            f"{options.reference} is silent: its newest event is of {newest}; {count:,.0f} records of other "
            f"topics that are more than {ahead} (STREAM_STALL_AFTER_S) later wait for the next purchase. If "
            f"none is to come, send a clock.ticked event of a later time to {self._control}"
        )
