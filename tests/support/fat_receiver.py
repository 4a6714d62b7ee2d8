"""A receiver that takes every message with an answer of 50 MB, and counts how much of it is read."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

ANSWER_BYTES = 50_000_000
CHUNK = b"x" * 65_536


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A sender that goes away is no fault."""


class FatReceiver:
    """Serves for the length of a `with` block; it does not check signatures."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.longest_bytes = 0
        self._lock = threading.Lock()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def section(self, name: str) -> str:
        """Its section of an endpoints file."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        return (
            f'[endpoints.{name}]\nurl = "{url}"\nsecret_env = "RECEIVER_SECRET"\nallow_http = true\n'
            'allow_networks = ["127.0.0.0/8"]\n'
        )

    def __enter__(self) -> FatReceiver:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _note(self, webhook_id: str) -> None:
        with self._lock:
            self.messages.append({"id": webhook_id, "status": 200})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                receiver._note(self.headers["webhook-id"])
                self.send_response(200)
                self.send_header("Content-Length", str(ANSWER_BYTES))
                self.end_headers()
                sent = 0
                try:
                    while sent < ANSWER_BYTES:
                        sent += self.wfile.write(CHUNK[: ANSWER_BYTES - sent])
                except OSError:
                    pass
                receiver.longest_bytes = max(receiver.longest_bytes, sent)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
