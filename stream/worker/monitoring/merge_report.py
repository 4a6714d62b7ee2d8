"""Logs once that the order between topics of a history was lost, and what keeps it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from stream.engine import EngineApp

CHECK_EVERY_S = 1.0

log = logging.getLogger("stream.worker")


class MergeReport:
    """One warning per life of the worker, at the first event that came too late for the merge by time."""

    def __init__(self, app: EngineApp[Any]) -> None:
        self._app = app
        self._warned = False

    async def watch(self) -> None:
        """Check every second until the app stops."""
        while not self._app.should_stop:
            self.check()
            await asyncio.sleep(CHECK_EVERY_S)

    def check(self) -> None:
        """Log the warning when it is due."""
        topics = sorted(self._app.delivery.progress.overtaken)
        if topics and not self._warned:
            self._warned = True
            log.warning(self._line(topics))

    def _line(self, topics: list[str]) -> str:
        wait_ms = round(1_000 * self._app.options.merge_wait_s)
        order = (
            "between topics events are judged in the order in which they arrive"
            if not wait_ms
            else f"a topic paused for longer than {wait_ms:,} ms"
        )
        return (
            f"events of a history came after later ones of other topics were judged ({', '.join(topics)}): "
            f"with STREAM_MERGE_WAIT_MS = {wait_ms} {order}. They count, but are judged late, and the alerts "
            "are not those of a replay. Send a history before the workers start, or set STREAM_MERGE_WAIT_MS "
            "to more than the longest pause of a topic while it is sent"
        )
