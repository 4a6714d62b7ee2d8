"""The dashboard as a whole: a store is opened and filled from a source, then served until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from stream.page.screens.view import View
from stream.page.sources.fill import fill
from stream.page.sources.source import PageSource
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import ReadStore
from stream.page.web.server import DashboardServer


@contextmanager
def opened_store(path: Path | None) -> Iterator[ReadStore]:
    """The store in a file, or in a temporary one that is removed at the end. StoreError."""
    with TemporaryDirectory(prefix="stream-dashboard-") as folder:
        store = SqliteStore(path or Path(folder) / "store.db")
        try:
            yield store
        finally:
            store.close()


def view_of(store: ReadStore, source: PageSource) -> View:
    """What screens need to know of a store that was filled from this source."""
    return View(source.basis, store.as_of_ms(), source.name, source.has_alerts, store.notes())


async def serve(server: DashboardServer, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is called with the address. AddressError."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    on_ready(await server.start(host, port))
    try:
        await ended.wait()
    finally:
        await server.close()


def filled(store: ReadStore, source: PageSource) -> View:
    """Fill the store where it does not hold the source yet. SourceError, StoreError."""
    fill(store, source)
    return view_of(store, source)
