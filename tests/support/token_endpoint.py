"""A token endpoint of OAuth 2 on loopback: answers as it is told, and notes what it was asked.

The subject of a token is the client that asks. Tokens are JSON Web Tokens that nobody has signed (RFC 7519,
section 6): a Kafka for tests takes them.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

from msgspec import Struct, field

CLIENT, CLIENT_SECRET = "a client", "a secret: with + and %"


class Asked(Struct):
    """A request."""

    authorization: str
    form: str


class TokenEndpoint(Struct):
    """What it answers next, and what it was asked."""

    lives_s: int = 3_600
    status: int = 200
    body: bytes | None = None
    """Instead of a token."""
    more: dict[str, Any] = field(default_factory=dict)
    """Fields of the answer that are different; None: not there."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, client: str) -> bytes:
        if self.body is not None:
            return self.body
        fields = {
            "access_token": self.token(client),
            "token_type": "Bearer",
            "expires_in": self.lives_s,
            **self.more,
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()

    def token(self, subject: str) -> str:
        now_s = int(time.time())
        parts = {"alg": "none"}, {"sub": subject, "iat": now_s, "exp": now_s + self.lives_s}
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*encoded, ""])


@contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    """One that runs until the block ends."""
    endpoint = TokenEndpoint()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            endpoint.asked.append(Asked(self.headers["Authorization"], form))
            login = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            body = endpoint.answer(unquote_plus(login.partition(":")[0]))
            self.send_response(endpoint.status)
            if 300 <= endpoint.status < 400:
                self.send_header("Location", endpoint.url)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    endpoint.url = f"http://127.0.0.1:{server.server_port}/token"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
