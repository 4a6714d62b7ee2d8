"""/healthz, /readyz and /metrics, on loopback unless told otherwise. GET only, no login, no customer's data.

`/healthz` answers whether this process is worth keeping: its loop runs and its work is not stuck. It says
nothing of Kafka, whose outage must not restart every worker. `/readyz` answers whether it does its work now:
partitions assigned and the table recovered; its notes say what is waited for although nothing is wrong.
Both are 200, or 503 with the reasons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from stream.config.environment import SettingsError

Check = Callable[[], Sequence[str]]
"""The reasons against, in words; none when all is well."""


def _all_well() -> Sequence[str]:
    return ()


class HealthServer:
    """Answers from `start` to `close`."""

    def __init__(
        self,
        registry: CollectorRegistry,
        alive: Check = _all_well,
        ready: Check = _all_well,
        notes: Check = _all_well,
    ) -> None:
        application = web.Application()
        application.router.add_get("/healthz", _answer(alive))
        application.router.add_get("/readyz", _answer(ready, notes))
        application.router.add_get("/metrics", make_aiohttp_handler(registry))
        self._runner = web.AppRunner(application, access_log=None)
        self.url = ""

    async def start(self, host: str, port: int) -> str:
        """The base URL; SettingsError when the address cannot be had."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            problem = f"STREAM_HTTP_HOST = {host!r}, STREAM_HTTP_PORT = {port}: {error.strerror}"
            raise SettingsError([problem]) from error
        bound = self._runner.addresses[0]
        self.url = f"http://{bound[0]}:{bound[1]}"
        return self.url

    async def close(self) -> None:
        await self._runner.cleanup()


def _answer(check: Check, notes: Check = _all_well) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        reasons, worth_knowing = list(check()), list(notes())
        told = {"ok": not reasons, "reasons": reasons, **({"notes": worth_knowing} if worth_knowing else {})}
        return web.json_response(told, status=503 if reasons else 200)

    return answer
