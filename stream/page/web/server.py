"""The HTTP server of the dashboard: pages, exports, and what operators ask (/healthz, /readyz, /metrics).

GET only, but for what people remark on the alerts of a running shop. Each page is made in a thread, from one
short read of the store; the event loop never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from stream.look.html import STYLESHEET
from stream.metrics import DashboardMetrics, watch_uplift
from stream.page.faults import fault_places
from stream.page.published import Published
from stream.page.screens.csv_text import Cell, csv_lines
from stream.page.screens.masked import ElsewhereError, customer_of
from stream.page.screens.view import FilterError, View, url
from stream.page.store.store import ReadStore, StoreError
from stream.page.store.tables import TABLES
from stream.page.web.acting import ACT_PATH, Acting, ActionError
from stream.page.web.alert_gauges import watch_open, watch_promises
from stream.page.web.guards import HEADERS, Handler, guard, known_hosts
from stream.page.web.live_pages import LivePages, RunningShop
from stream.page.web.looked_up import LookedUp, metrics_handler
from stream.page.web.pages import EXPORTS, PAGES, Exporter, PageMaker, Pages
from stream.page.web.panes import PANES
from stream.page.web.rendering import STATIC

log = logging.getLogger(__name__)
STATIC_FILES = {
    "look.css": (STYLESHEET, "text/css"),
    "icon.svg": (STATIC / "icon.svg", "image/svg+xml"),
    "live.js": (STATIC / "live.js", "text/javascript"),
}
STATIC_KEPT_S = 3_600
ADDRESS_BYTES_MAX = 1 << 17
"""An id of a customer may have 10,000 letters of 4 bytes, which are 12 in an address."""


class AddressError(Exception):
    """The server cannot be reached where it should be; the text says why."""


def _note_fault(request: web.Request, fault: Exception) -> None:
    page = request.match_info.route.resource  # not the path: it may name a customer
    name = page.canonical if page is not None else "?"
    log.error("a page could not be made: %s: %s", name, fault_places(fault))


class DashboardServer:
    """Serves from `start` to `close`."""

    def __init__(
        self,
        store: ReadStore,
        view: View,
        names: Iterable[str] = (),
        live: RunningShop | None = None,
        published: Published | None = None,
        *,
        user: str = "",
        user_header: str = "",
    ) -> None:
        """`names`: hosts that it answers to beside loopback. `live`: a running shop, of which `view` is the
        beginning. `published`: numbers of reports. `user`, `user_header`: see Acting."""
        self._store = store
        self._pages = Pages(view, live, published)
        self._metrics = DashboardMetrics()
        self._watch_store()
        if published is not None:
            watch_uplift(self._metrics.gauges, published.uplift_readout)
        for watch in (watch_open, watch_promises):
            watch(self._metrics, store, live.view if live is not None else lambda: view)
        is_known = known_hosts(names)
        self._live: LivePages | None = None
        if live is not None:
            acting = Acting(live, is_known, self._customer_of, user=user, header=user_header)
            self._live = LivePages(live, self._pages, acting)
        application = web.Application(middlewares=[guard(is_known), self._in_words])
        for path, maker in {**PAGES, **PANES}.items():
            application.router.add_get(path, self._page(path, maker))
        for path, exporter in EXPORTS.items():
            application.router.add_get(path, self._export(path, exporter))
        application.router.add_get("/static/{name}", _static)
        if self._live is None:
            application.router.add_post(ACT_PATH, self._nowhere_to_write)
            application.router.add_get("/healthz", _ok)
            application.router.add_get("/readyz", _ok)
        else:
            self._live.add_to(application.router)
            self._live.watch(self._metrics)
        application.router.add_get("/metrics", metrics_handler(self._metrics.registry))
        self._runner = web.AppRunner(application, access_log=None, max_line_size=ADDRESS_BYTES_MAX)

    async def start(self, host: str, port: int) -> str:
        """Start to serve; returns the address of the first page. AddressError."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except (OSError, UnicodeError) as error:
            await self._runner.cleanup()
            reason = error.strerror if isinstance(error, OSError) else "no host has such a name"
            raise AddressError(f"{host}, port {port}: {reason}") from error
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        return f"http://{shown}:{bound[1]}/"

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    def _page(self, path: str, maker: PageMaker) -> Callable[[web.Request], Any]:
        timer = self._metrics.page_time.labels(path)

        def made(pages: Pages, query: Mapping[str, str]) -> tuple[str, int, str]:
            with timer.time(), self._store.reading() as reading:
                return maker(pages.checked(reading), reading, query)

        async def answer(request: web.Request) -> web.StreamResponse:
            pages, finish = self._pages_for(request)
            text, status, kind = await asyncio.to_thread(made, pages, request.query)
            page = web.Response(text=text, status=status, content_type=kind)
            finish(page)
            return page

        return answer

    def _pages_for(self, request: web.Request) -> tuple[Pages, Callable[[web.StreamResponse], None]]:
        return self._live.for_request(request) if self._live is not None else (self._pages, lambda _: None)

    def _export(self, path: str, exporter: Exporter) -> Callable[[web.Request], Any]:
        """Written in parts, each from a read of its own: an export of all customers holds nothing up."""

        def part(filters: Mapping[str, str], view: View) -> tuple[list[list[Cell]], str]:
            with self._store.reading() as reading:
                return exporter.rows(reading, filters, view)

        def begun(query: Mapping[str, str], view: View) -> dict[str, str]:
            with self._store.reading() as reading:
                return exporter.filters(reading, query, view)

        async def answer(request: web.Request) -> web.StreamResponse:
            view = self._pages_for(request)[0].view
            filters = await asyncio.to_thread(begun, request.query, view)
            name = path.strip("/")
            sent = web.StreamResponse(
                headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
            )
            sent.content_type, sent.charset = "text/csv", "utf-8"
            await sent.prepare(request)
            try:
                await sent.write(csv_lines([exporter.head]).encode())
                while True:
                    rows, after = await asyncio.to_thread(part, filters, view)
                    await sent.write(csv_lines(rows).encode("utf-8", "backslashreplace"))
                    if not after:
                        return sent
                    filters = {**filters, "after": after}
            except ConnectionResetError:
                return sent  # the browser has left
            except Exception as fault:
                _note_fault(request, fault)
                if request.transport is not None:
                    request.transport.abort()  # a file that ends early must not look whole
                return sent

        return answer

    @web.middleware
    async def _in_words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A refusal or a fault as a page of words."""
        try:
            return await handler(request)
        except ElsewhereError as elsewhere:
            raise web.HTTPSeeOther(url(request.path, elsewhere.filters)) from None
        except FilterError as wrong:
            return self._words("This address cannot be shown", [f"{wrong}."], 400)
        except (ActionError, StoreError) as refused:
            heading = getattr(refused, "heading", "The numbers cannot be read")
            return self._words(heading, [f"{refused}."], 503)
        except web.HTTPForbidden as refused:
            return self._words("This cannot be done from here", [(refused.text or "").strip()], 403)
        except web.HTTPNotFound:
            return self._words("There is no such page", [], 404)
        except web.HTTPException:
            raise
        except Exception as fault:
            _note_fault(request, fault)
            lines = ["The page could not be made; the reason is in the log of the dashboard."]
            return self._words("Something is wrong here", lines, 500)

    async def _nowhere_to_write(self, _: web.Request) -> web.StreamResponse:
        lines = [
            "This page shows files: there is no topic to write to.",
            "Without a source `stream dashboard` follows the topics of a running shop, and takes remarks.",
        ]
        return self._words("Nothing was changed", lines, 409)

    def _words(self, heading: str, lines: list[str], status: int) -> web.Response:
        text = self._pages.words(heading, lines)
        return web.Response(text=text, status=status, content_type="text/html")

    def _customer_of(self, shown: str) -> str:
        with self._store.reading() as reading:
            return customer_of(reading, shown, self._pages.view)

    def _watch_store(self) -> None:
        def rows() -> dict[tuple[str, ...], float]:
            with self._store.reading() as reading:
                return {
                    (table.name,): reading.one(f"SELECT COUNT(*) FROM {table.name}")[0] for table in TABLES
                }

        counted = LookedUp(rows)
        self._metrics.gauges.watch("dashboard_rows", lambda: counted.get() or {})
        self._metrics.gauges.watch("dashboard_log_bytes", lambda: {(): self._store.log_bytes})


async def _ok(_: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": True, "reasons": []})


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in STATIC_FILES:
        raise web.HTTPNotFound
    path, kind = STATIC_FILES[name]
    answer = web.Response(body=path.read_bytes(), content_type=kind)
    answer.headers["Cache-Control"] = f"max-age={STATIC_KEPT_S}"
    return answer
