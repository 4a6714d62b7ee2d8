"""What every answer of the dashboard is guarded by: the names it answers to, and security headers.

A page of another site may make a browser ask this server, under a name of its own that leads to 127.0.0.1
(DNS rebinding). So a request is answered only when it names a host that is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OF_OPERATORS = frozenset({"/healthz", "/readyz", "/metrics"})
"""They show no customer. Prometheus and probes ask for them by the address of a container."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""The pages hold data of customers: no other site may read, frame or keep them, and no script runs but our
own file, which a page works without."""


def host_name(host: str) -> str:
    """The name in a Host header, without the port, in small letters; empty where it cannot be read."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def known_hosts(names: Iterable[str]) -> Callable[[str], bool]:
    """Whether a Host header names one of these hosts, or loopback."""
    known = LOOPBACK | {name.lower().rstrip(".") for name in names}
    return lambda host: host_name(host) in known


def guard(is_known: Callable[[str], bool]) -> Middleware:
    """The middleware: refuses unknown hosts with 421, and adds the headers to every answer."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OF_OPERATORS and not is_known(request.headers.get("Host", "")):
            return web.Response(
                status=421,
                text="This dashboard does not answer to that host name: see STREAM_DASHBOARD_NAMES.\n",
                headers=HEADERS,
            )
        try:
            answer = await handler(request)
        except web.HTTPException as refusal:
            refusal.headers.update(HEADERS)
            raise
        if not answer.prepared:
            for name, text in HEADERS.items():
                answer.headers.setdefault(name, text)
        return answer

    return guarded
