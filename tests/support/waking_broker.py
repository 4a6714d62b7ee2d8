"""In front of a broker: names no brokers at first, as one that is just starting does."""

from __future__ import annotations

import asyncio
import struct
import threading

METADATA = 3
PLAIN_VERSION_MAX = 8
"""Later versions of the request have another form; librdkafka asks in those, and is passed on."""


class WakingBroker:
    """Listens on `bootstrap`; the first `silences` requests for metadata get an answer without brokers.

    All else is passed on to `target` (host:port), and clients go there by themselves once it is named.
    """

    def __init__(self, target: str, silences: int) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self.left = silences
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        opening = asyncio.start_server(self._accept, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(10)
        self.bootstrap = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        await asyncio.gather(self._up(reader, onward_writer, writer), self._down(onward_reader, writer))

    async def _up(
        self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                head = await reader.readexactly(4)
                request = await reader.readexactly(int.from_bytes(head))
                key, version, correlation = struct.unpack_from(">hhi", request)
                if key == METADATA and version <= PLAIN_VERSION_MAX and self.left:
                    self.left -= 1
                    back.write(_nobody(version, correlation))
                else:
                    onward.write(head + request)
        except (asyncio.IncompleteReadError, OSError):
            onward.close()

    async def _down(self, onward: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            while data := await onward.read(1 << 16):
                back.write(data)
        except OSError:
            pass
        finally:
            back.close()


def _nobody(version: int, correlation: int) -> bytes:
    """The answer: no brokers, no topics (MetadataResponse of Kafka's protocol, versions 0 to 8)."""
    body = struct.pack(">i", correlation)
    body += struct.pack(">i", 0) if version >= 3 else b""  # throttle time
    body += struct.pack(">i", 0)  # brokers
    body += struct.pack(">h", -1) if version >= 2 else b""  # cluster id
    body += struct.pack(">i", -1) if version >= 1 else b""  # controller
    body += struct.pack(">i", 0)  # topics
    body += struct.pack(">i", 0) if version >= 8 else b""  # cluster's authorized operations
    return struct.pack(">i", len(body)) + body
