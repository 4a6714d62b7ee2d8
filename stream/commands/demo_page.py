"""The page that is open while the demo plays: a server in a thread of its own, on this computer only."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

from stream.commands.demo_studies import WAITING, DemoStudies
from stream.core.events.event import Event
from stream.core.judgement.basis import Basis

if TYPE_CHECKING:
    from stream.page.web.server import DashboardServer

HOST = "127.0.0.1"
PUSH_EVERY_S = 3.0
"""News are handed over this often: a page asks once a second, and the play is not to be slowed down."""
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
NEEDS_EXTRA = "No page opens: it needs the extra `dashboard` (pip install 'customer-stream[dashboard]')."


def has_desktop(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a browser could show something."""
    return platform in ("darwin", "win32") or any(environment.get(name) for name in DISPLAYS)


class DemoPage:
    """Serves from `open` to `close`."""

    def __init__(self, basis: Basis, port: int) -> None:
        self._basis, self._port = basis, port
        self._stack = ExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-page", daemon=True)
        self._server: DashboardServer | None = None
        self._rows: dict[bytes, bytes] = {}
        self._alerts: list[tuple[bytes, bytes]] = []
        self._pushed_s = 0.0
        self.studies = DemoStudies()
        self.address = ""

    def open(self) -> str:
        """Start to serve; returns the address, with another port where the wished one is taken."""
        from stream.page.dashboard import opened_store
        from stream.page.live.pushed import PushedShop
        from stream.page.published import Published
        from stream.page.web.server import AddressError, DashboardServer

        store = self._stack.enter_context(opened_store("", shared=True))
        self._shop = PushedShop(store, self._basis, "the demo")
        self._thread.start()
        published = Published(self.studies.folder, WAITING)
        for port in (self._port, 0):
            self._server = DashboardServer(store, self._shop.view(), (), self._shop, published)
            try:
                started = asyncio.run_coroutine_threadsafe(self._server.start(HOST, port), self._loop)
                self.address = started.result()
                break
            except AddressError:
                if not port:
                    raise
        return self.address

    def take(self, rows: Mapping[bytes, bytes], alerts: Sequence[tuple[bytes, bytes]]) -> None:
        """New rows by customer and new alerts, as the worker wrote them; shown soon."""
        self._rows.update(rows)
        self._alerts += alerts
        if time.monotonic() - self._pushed_s >= PUSH_EVERY_S:
            self._push()

    def heard(self, event: Event) -> None:
        """An event that is played: report and backtest are made of all of them."""
        self.studies.heard(event)

    def finish(self) -> None:
        """The year is over: everybody is shown as of its end, and the studies of it begin."""
        self._push()
        self._shop.look_again()
        self._shop.playing = False
        self.studies.begin(self._shop.changed)

    def _push(self) -> None:
        if self._rows:
            self._shop.push("profiles", [*self._rows.items()])
        if self._alerts:
            self._shop.push("alerts", self._alerts)
        self._rows, self._alerts, self._pushed_s = {}, [], time.monotonic()

    def close(self) -> None:
        """Serve no more."""
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread.is_alive():
            self._thread.join(10)
        self.studies.close()
        self._stack.close()


def opened_page(basis: Basis, port: int) -> DemoPage | None:
    """The page, and a browser where there is a desktop; None where the extra is missing."""
    if find_spec("jinja2") is None:
        return None
    page = DemoPage(basis, port)
    address = page.open()
    if has_desktop():
        webbrowser.open(address)
    return page
