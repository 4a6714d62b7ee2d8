"""Stands in for the programs that get alerts and notifications: prints each as a line of JSON, and answers.

`POST /alerts` takes the signed webhooks of `stream deliver` (https://www.standardwebhooks.com), with the
secret in the variable RECEIVER_SECRET; one with a wrong signature is refused with 401. Any other `POST` takes
what Alertmanager sends. A line: `path`, `id` (the alert's, or empty) and `body`. Python's own library is
enough.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 9099
SIGNED = "/alerts"
PREFIX = "whsec_"
PRINTING = threading.Lock()


def is_signed(headers: Message, body: bytes, key: bytes) -> bool:
    """Whether one of the signatures is the one that `key` gives for id, time and body."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    found = (headers["webhook-signature"] or "").split()
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in found)


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 to GET, 204 to what it has printed, 400 to what is no JSON, 401 to what is not signed."""

    protocol_version = "HTTP/1.1"
    key = b""

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if self.path == SIGNED and not is_signed(self.headers, body, self.key):
            self._answer(401)
            return
        try:
            document = json.loads(body)
        except ValueError:
            self._answer(400)
            return
        line = {"path": self.path, "id": self.headers["webhook-id"] or "", "body": document}
        with PRINTING:
            print(json.dumps(line), flush=True)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing beside the lines above."""


def main() -> None:
    secret = os.environ.get("RECEIVER_SECRET", "")
    if not secret.startswith(PREFIX):
        sys.exit(f"receiver: RECEIVER_SECRET must begin with {PREFIX}: sh deploy/compose/keys .env")
    Receiver.key = base64.b64decode(secret.removeprefix(PREFIX))
    ThreadingHTTPServer(("", PORT), Receiver).serve_forever()


if __name__ == "__main__":
    main()
