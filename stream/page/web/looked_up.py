"""What gauges read from the store, by a thread of its own: no scrape waits for a store that is frozen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from stream.page.store.store import StoreError
from stream.page.web.guards import Handler

WAIT_S = 0.5
"""How long a scrape waits for the store."""

Found = TypeVar("Found")


class LookedUp(Generic[Found]):
    """Looks anew whenever it is asked and no look is under way. Any thread may ask."""

    def __init__(self, look: Callable[[], Found]) -> None:
        self._look, self._lock = look, threading.Lock()
        self._under_way: Future[Found] | None = None

    def get(self) -> Found | None:
        """What is found now; None: the store does not answer in WAIT_S, or cannot be read."""
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                threading.Thread(target=self._answer, args=(self._under_way,), daemon=True).start()
            asked = self._under_way
        try:
            return asked.result(WAIT_S)
        except (TimeoutError, StoreError):
            return None

    def _answer(self, asked: Future[Found]) -> None:
        try:
            asked.set_result(self._look())
        except BaseException as failure:
            asked.set_exception(failure)


def metrics_handler(registry: CollectorRegistry) -> Handler:
    """Answers with the metrics; they are collected by a thread of their own, and pages go on meanwhile."""
    thread = ThreadPoolExecutor(1, "metrics")

    async def answer(request: web.Request) -> web.StreamResponse:
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        text = await asyncio.get_running_loop().run_in_executor(thread, encode, registry)
        return web.Response(body=text, headers={"Content-Type": kind})

    return answer
