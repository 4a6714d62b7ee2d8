"""What the server has for a running shop only: what changes by itself, and what people remark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from stream.metrics.of_dashboard import DashboardMetrics
from stream.page.live.actions import Remark
from stream.page.screens.view import View
from stream.page.web.acting import ACT_PATH, Acting
from stream.page.web.guards import Handler
from stream.page.web.pages import Pages

LIVE_PATH = "/live"


class RunningShop(Protocol):
    """What the server needs of a shop that goes on (stream/page/live/feed.py)."""

    @property
    def revision(self) -> str:
        """Another one whenever a page would show something else."""

    @property
    def lag(self) -> Mapping[str, int]:
        """Topic -> records that are not in the store yet."""

    @property
    def lag_s(self) -> float:
        """For how long something has been waiting to be read."""

    def view(self) -> View:
        """As of now."""

    def fresh(self) -> Sequence[tuple[str, str]]:
        """Each source, and how old its newest event is."""

    def troubles(self) -> Sequence[str]:
        """What is wrong, in sentences."""

    def faults(self) -> Sequence[str]:
        """Why the process should be started again."""

    def unready(self) -> Sequence[str]:
        """Why pages do not show everything yet."""

    def say(self, remark: Remark) -> None:
        """Write a remark. ActionError; blocks."""


class LivePages:
    """Answers for a running shop."""

    def __init__(self, live: RunningShop, pages: Pages, acting: Acting) -> None:
        self._live, self._pages = live, pages
        self._acting, self._tickets = acting, acting.tickets

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the addresses."""
        router.add_get(LIVE_PATH, self._changes)
        router.add_post(ACT_PATH, self._acting.act)
        router.add_get("/healthz", _checked(self._live.faults))
        router.add_get("/readyz", _checked(self._live.unready))

    def watch(self, metrics: DashboardMetrics) -> None:
        """Give the gauges their sources."""
        lag = self._live
        metrics.gauges.watch(
            "dashboard_lag_records", lambda: {(topic,): float(count) for topic, count in lag.lag.items()}
        )
        metrics.gauges.watch("dashboard_lag_seconds", lambda: {(): lag.lag_s})

    def for_request(self, request: web.Request) -> tuple[Pages, Callable[[web.StreamResponse], None]]:
        """The pages as of now, and what is to be done to the answer."""
        session = self._tickets.session(request)
        pages = self._pages.now(self._live.view(), self._tickets.ticket(session))
        pages.address = request.path_qs
        return pages, lambda answer: self._tickets.keep(answer, request, session)

    async def _changes(self, _: web.Request) -> web.StreamResponse:
        pages = self._pages.now(self._live.view())
        return web.json_response({"revision": self._live.revision, "html": pages.render("live_bar.html", "")})


def _checked(check: Callable[[], Sequence[str]]) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        reasons = list(check())
        return web.json_response({"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    return answer
