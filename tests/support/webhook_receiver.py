"""A receiver in a thread of its own: checks every signature, remembers messages, answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

KEY = b"r" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class WebhookReceiver:
    """Serves for the length of a `with` block. `answer` gets the webhook-id, and gives a status."""

    def __init__(self, answer: Callable[[str], int] = lambda _: 200) -> None:
        self.answer = answer
        self.accepted: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.order: list[str] = []
        self.forged = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def endpoints_file(self, **more: str) -> str:
        """A section of an endpoints file for this receiver; its secret is in the variable RECEIVER_SECRET."""
        lines = [
            "[endpoints.crm]", f'url = "{self.url}"', 'secret_env = "RECEIVER_SECRET"', "allow_http = true",
            'allow_networks = ["127.0.0.0/8"]', *(f"{name} = {value}" for name, value in more.items()),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def __enter__(self) -> WebhookReceiver:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not any(b'"arm":"held_out"' in body for body in self.bodies.values()), "held out, but sent"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """The status of the answer to a message."""
        webhook_id = headers["webhook-id"]
        content = f"{webhook_id}.{headers['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
        with self._lock:
            if expected not in headers["webhook-signature"].split():
                self.forged += 1
                return 401
            status = self.answer(webhook_id)
            if status < 300:
                self.accepted[webhook_id] += 1
                self.bodies[webhook_id] = body
                self.order.append(webhook_id)
            return status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver.take(headers, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
