"""A receiver that answers 204 at once: `python -m bench.fast_receiver LOG`; its first line is its port.

It reads each request whole and checks no signature. LOG gets a line for each: path, id, monotonic time.
"""

from __future__ import annotations

import asyncio
import sys
import time

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


async def serve(log: str) -> None:
    with open(log, "w", buffering=1 << 16) as file:

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    lower = head.lower()
                    start = lower.index(b"content-length:") + 15
                    await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
                    place = lower.index(b"webhook-id:") + 11
                    webhook_id = head[place : head.index(b"\r\n", place)].strip().decode()
                    path = head[5 : head.index(b" ", 5)].decode()
                    file.write(f"{path}/{webhook_id} {time.monotonic():.6f}\n")
                    writer.write(ANSWER)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        while True:
            await asyncio.sleep(0.2)
            file.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
