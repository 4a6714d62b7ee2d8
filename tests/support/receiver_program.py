"""A receiver as a program of its own: `python -m tests.support.receiver_program SECRET FAILING`.

It checks every signature with the library `standardwebhooks`. Its first line names its port, each further
one a message, as JSON. The first attempt of every FAILING-th webhook-id, by its SHA-256, gets 503.
tests/deliver/node/receiver.js is the same in Node.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def serve(secret: str, failing: int) -> None:
    from standardwebhooks.webhooks import Webhook

    webhook, seen, lock = Webhook(secret), Counter[str](), threading.Lock()

    def taken(headers: dict[str, str], body: bytes) -> dict[str, Any]:
        webhook_id = headers.get("webhook-id", "")
        try:
            event = webhook.verify(body, headers)
        except Exception as error:  # the library raises ValueError as well
            return {"id": webhook_id, "status": 401, "error": str(error)}
        with lock:
            attempts, seen[webhook_id] = seen[webhook_id], seen[webhook_id] + 1
        fails = not attempts and hashlib.sha256(webhook_id.encode()).digest()[0] % failing == 1
        status = 503 if fails else 204
        return {"id": webhook_id, "status": status, "subject": event["subject"], "type": event["type"]}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = taken({name.lower(): value for name, value in self.headers.items()}, body)
            with lock:
                print(json.dumps(answer), flush=True)
            self.send_response(answer["status"])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A sender that was killed is no fault."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
