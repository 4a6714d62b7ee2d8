"""The HTTP server of a worker: /healthz, /readyz and /metrics. GET only, no login, no data of customers.

`/healthz` says whether this process should go on running: its event loop answers and its work is not stuck.
It does not look at Kafka, because an outage of Kafka must not restart every worker. `/readyz` says whether
it works now: partitions are assigned and the table is restored. Both answer 200, or 503 with the reasons.
The notes of `/readyz` name what the worker waits for although nothing is wrong with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from stream.config.environment import SettingsError

Check = Callable[[], Sequence[str]]
"""Gives the problems in words; none when all is well."""


def _no_problems() -> Sequence[str]:
    return ()


class HealthServer:
    """Serves requests from `start` to `close`."""

    def __init__(
        self,
        registry: CollectorRegistry,
        alive: Check = _no_problems,
        ready: Check = _no_problems,
        notes: Check = _no_problems,
    ) -> None:
        application = web.Application()
        application.router.add_get("/healthz", _answer(alive))
        application.router.add_get("/readyz", _answer(ready, notes))
        application.router.add_get("/metrics", make_aiohttp_handler(registry))
        self._runner = web.AppRunner(application, access_log=None)
        self.url = ""

    async def start(self, host: str, port: int, port_setting: str = "STREAM_HTTP_PORT") -> str:
        """Start to serve; returns the base URL. SettingsError when the address or port cannot be used."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except (OSError, UnicodeError) as error:  # Python encodes a host name before it looks it up
            await self._runner.cleanup()
            reason = error.strerror if isinstance(error, OSError) else "no host has such a name"
            problem = f"STREAM_HTTP_HOST = {host!r}, {port_setting} = {port}: {reason}"
            raise SettingsError([problem]) from error
        bound = self._runner.addresses[0]
        self.url = f"http://{bound[0]}:{bound[1]}"
        return self.url

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()


def _answer(
    check: Check, notes: Check = _no_problems
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        reasons, noted = list(check()), list(notes())
        body = {"ok": not reasons, "reasons": reasons, **({"notes": noted} if noted else {})}
        return web.json_response(body, status=503 if reasons else 200)

    return answer
