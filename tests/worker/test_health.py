"""The HTTP server: two health checks with reasons, metrics, nothing else; a clear error for a taken port."""

import aiohttp
import pytest

from stream.config.environment import SettingsError
from stream.metrics import Metrics
from stream.worker.monitoring.health import HealthServer

LOOPBACK = "127.0.0.1"


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_check_without_reasons_is_200_and_with_reasons_503():
    against = ["3 partitions are being recovered"]
    server = HealthServer(Metrics().registry, ready=lambda: against)
    url = await server.start(LOOPBACK, 0)
    try:
        alive, waiting = await get(f"{url}/healthz"), await get(f"{url}/readyz")
        against.clear()
        ready = await get(f"{url}/readyz")
    finally:
        await server.close()

    assert alive == (200, '{"ok": true, "reasons": []}')
    assert waiting == (503, '{"ok": false, "reasons": ["3 partitions are being recovered"]}')
    assert ready[0] == 200


async def test_metrics_are_served_and_other_paths_and_methods_are_not():
    server = HealthServer(Metrics().registry)
    url = await server.start(LOOPBACK, 0)
    try:
        metrics = await get(f"{url}/metrics")
        nothing = [await get(url + path) for path in ("/", "/table/", "/table/profiles/c1/", "/router/")]
        async with aiohttp.ClientSession() as session, session.post(f"{url}/healthz") as answer:
            post = answer.status
    finally:
        await server.close()

    assert metrics[0] == 200
    assert "customer_stream_build_info" in metrics[1]
    assert [status for status, _ in nothing] == [404, 404, 404, 404]
    assert post == 405


async def test_a_taken_port_is_an_error_that_names_the_setting():
    server, second = HealthServer(Metrics().registry), HealthServer(Metrics().registry)
    url = await server.start(LOOPBACK, 0)
    port = int(url.rpartition(":")[2])
    try:
        with pytest.raises(SettingsError, match=f"STREAM_HTTP_PORT = {port}"):
            await second.start(LOOPBACK, port)
    finally:
        await server.close()
