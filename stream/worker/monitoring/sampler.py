"""What only regular looks can tell: how long records wait, how busy a worker is, how long it did nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from stream.engine import EngineApp
from stream.metrics import Metrics, Readings
from stream.worker.monitoring.waiting import WaitingPartitions

LOOK_EVERY_S = 1.0


class Sampler:
    """Looks once a second, on the event loop: its thread is the one that applies events."""

    def __init__(
        self,
        metrics: Metrics,
        app: EngineApp[Any],
        clock: Callable[[], float] = time.monotonic,
        busy: Callable[[], float] = time.thread_time,
    ) -> None:
        """`clock` gives seconds from any start, `busy` the CPU seconds of this thread."""
        self._metrics, self._app, self._clock, self._busy = metrics, app, clock, busy
        self._waiting = WaitingPartitions()
        self._looked_s, self._busy_s = clock(), 0.0
        metrics.gauges.watch("lag_seconds", self._lag)

    async def watch(self) -> None:
        """Look until the app stops."""
        while not self._app.should_stop:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once."""
        now_s, busy_s = self._clock(), self._busy()
        if not self._app.delivering:
            self._metrics.not_ready.add(now_s - self._looked_s)
        self._metrics.busy.add(max(0.0, busy_s - self._busy_s))
        self._looked_s, self._busy_s = now_s, busy_s
        sources = [source for lane in self._app.delivery.lanes.values() for source in lane.sources]
        self._waiting.note(((each.tp, each.highwater, each.applied) for each in sources), now_s)

    def waiting(self) -> tuple[int, float]:
        """How many records wait, and for how many seconds the oldest has."""
        lanes = self._app.delivery.lanes.values()
        records = sum(max(0, each.highwater - each.applied) for lane in lanes for each in lane.sources)
        return records, max(self._lag().values(), default=0.0)

    def _lag(self) -> Readings:
        now_s = self._clock()
        return {
            (source.topic, str(source.partition)): self._waiting.seconds(source.tp, source.applied, now_s)
            for lane in self._app.delivery.lanes.values()
            for source in lane.sources
        }
