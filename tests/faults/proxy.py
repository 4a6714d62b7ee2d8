"""A network between one worker and the broker that can fall silent or have little bandwidth."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from tests.support.kafka_broker import JarBroker, free_port

CHUNK = 16 << 10
LOOK_S = 0.02


class Proxy:
    """Forwards one port to another. While a hole is open, bytes wait, in both directions; nothing closes."""

    def __init__(self) -> None:
        self.port = free_port()
        self.target = 0
        self.bytes_per_s: float | None = None  # of all connections together, in each direction
        self._free_at = {"up": 0.0, "down": 0.0}
        self._hole = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self, target: int) -> None:
        self.target = target
        self._thread.start()
        self._there(asyncio.start_server(self._accept, "127.0.0.1", self.port))

    def open_hole(self) -> None:
        self._hole.set()

    def close_hole(self) -> None:
        self._hole.clear()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _there(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._through_the_hole()
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        up, down = self._forward(reader, onward_writer, "up"), self._forward(onward_reader, writer, "down")
        await asyncio.gather(up, down)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._through_the_hole()
                writer.write(data)
                await writer.drain()
                await self._through_the_line(len(data), direction)
        except OSError:
            pass
        finally:
            writer.close()

    async def _through_the_line(self, size: int, direction: str) -> None:
        """Wait until the line has carried this and everything sent before it."""
        if self.bytes_per_s is None:
            return
        now = self._loop.time()
        self._free_at[direction] = max(now, self._free_at[direction]) + size / self.bytes_per_s
        await asyncio.sleep(self._free_at[direction] - now)

    async def _through_the_hole(self) -> None:
        while self._hole.is_set():
            await asyncio.sleep(LOOK_S)


class ProxiedBroker(JarBroker):
    """Apache Kafka with a second listener, which it advertises as the port of the proxy."""

    def __init__(self) -> None:
        super().__init__({})
        self.proxy = Proxy()
        plain, behind = self.bootstrap.split(":")[1], free_port()
        controller = free_port()
        self.proxied_bootstrap = f"127.0.0.1:{self.proxy.port}"
        everything = {
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:{behind},"
            f"CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},PROXIED://{self.proxied_bootstrap}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
        }
        with self._config.open("a") as config:  # of two lines with one name the last counts
            config.writelines(f"{name}={value}\n" for name, value in everything.items())
        self.proxy.start(behind)

    def close(self) -> None:
        super().close()
        self.proxy.close()
