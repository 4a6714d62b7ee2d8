"""schemas/webhook/vectors.json: messages that a receiver must take, and messages that it must refuse.

`python -m tests.support.webhook_vectors` writes the file again. Signatures are made here with the standard
library alone, so that the file does not follow a fault of the program.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from stream.contracts.export import write_schema_file

PATH = Path(__file__).parents[2] / "schemas" / "webhook" / "vectors.json"
NOW = 1_772_359_445
"""When each message is received, in seconds since 1970; a message may be 300 seconds older or newer."""
ID = "8f6f9c02-7aad-50fd-835f-81a03defbd1a"
KEY, OLD = bytes(range(32)), bytes(range(100, 132))
BODY = '{"specversion":"1.0","id":"' + ID + '","type":"at_risk_loyal.raised","subject":"Zoë 🛍"}'
ABOUT = (
    "Messages of `stream deliver` (Standard Webhooks). A receiver whose clock shows `now` takes each of "
    "`good` and refuses each of `bad`, with the secret that the vector names."
)


def secret_of(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def digest(key: bytes, content: str, kind: str = "sha256") -> bytes:
    return hmac.new(key, content.encode(), getattr(hashlib, kind)).digest()


def signed(
    *, key: bytes = KEY, webhook_id: str = ID, at: int | str = NOW, body: str = BODY, by: bytes | None = None
) -> dict[str, Any]:
    """A message whose signature is right; `by`: signed with this key, while the receiver has `key`."""
    content = f"{webhook_id}.{at}.{body}"
    signature = "v1," + base64.b64encode(digest(by or key, content)).decode()
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(at), "webhook-signature": signature}
    return {"secret": secret_of(key), "now": NOW, "headers": headers, "body": body}


def with_headers(message: dict[str, Any], **changed: str | None) -> dict[str, Any]:
    """The message with other headers (`signature` is webhook-signature); None takes one away."""
    headers = dict(message["headers"])
    for name, value in changed.items():
        if value is None:
            del headers[f"webhook-{name}"]
        else:
            headers[f"webhook-{name}"] = value
    return {**message, "headers": headers}


def signature(message: dict[str, Any]) -> str:
    return str(message["headers"]["webhook-signature"])


def good() -> dict[str, dict[str, Any]]:
    new, old = signed(), signed(key=OLD)
    both = f"{signature(new)} {signature(old)}"
    upper = {name.title(): value for name, value in new["headers"].items()}
    return {
        "one signature": new,
        "two signatures, the receiver has the new one": with_headers(new, signature=both),
        "two signatures, the receiver has the old one": with_headers(old, signature=both),
        "a signature of a version that is not known before the one that is": with_headers(
            new, signature=f"v2,AAAA {signature(new)}"
        ),
        "300 seconds old": signed(at=NOW - 300),
        "300 seconds ahead": signed(at=NOW + 300),
        "white space and line ends in the body": signed(body='{\n  "id": "a",\r\n  "subject": "b"\t}\n'),
        "a secret of 24 bytes": signed(key=bytes(range(24))),
        "a secret of 64 bytes": signed(key=bytes(range(64))),
        "names of headers in capitals": {**new, "headers": upper},
    }


def bad() -> dict[str, dict[str, Any]]:
    right = signed()
    return {
        "one letter of the body changed": {**right, "body": BODY.replace("raised", "raisec")},
        "the body written again with spaces": {
            **right,
            "body": json.dumps(json.loads(BODY), ensure_ascii=False),
        },
        "a line end behind the body": {**right, "body": BODY + "\n"},
        "an empty body": {**right, "body": ""},
        "another id": with_headers(right, id="8f6f9c02-7aad-50fd-835f-81a03defbd1b"),
        "no id": with_headers(right, id=None),
        "no timestamp": with_headers(right, timestamp=None),
        "no signature": with_headers(right, signature=None),
        "an empty signature": with_headers(right, signature=""),
        "a new timestamp on an old message": with_headers(signed(at=NOW - 3_600), timestamp=str(NOW)),
        "301 seconds old": signed(at=NOW - 301),
        "301 seconds ahead": signed(at=NOW + 301),
        "a timestamp in milliseconds": signed(at=NOW * 1_000),
        "a timestamp that is no number": with_headers(right, timestamp="yesterday"),
        **_bad_signatures(right),
    }


def _bad_signatures(right: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the signature may have of wrong."""
    raw = base64.b64decode(signature(right)[3:])
    content = f"{ID}.{NOW}.{BODY}"

    def encoded(found: bytes) -> str:
        return "v1," + base64.b64encode(found).decode()

    flipped = bytes([raw[0] ^ 1]) + raw[1:]
    return {
        "another secret": signed(by=OLD),
        "the text of the secret as the key": signed(by=secret_of(KEY).encode()),
        "a signature of the body alone": with_headers(right, signature=encoded(digest(KEY, BODY))),
        "a signature of timestamp, id and body": with_headers(
            right, signature=encoded(digest(KEY, f"{NOW}.{ID}.{BODY}"))
        ),
        "HMAC-SHA1": with_headers(right, signature=encoded(digest(KEY, content, "sha1"))),
        "HMAC-SHA512": with_headers(right, signature=encoded(digest(KEY, content, "sha512"))),
        "the digest in hexadecimal": with_headers(right, signature="v1," + raw.hex()),
        "half of the digest": with_headers(right, signature=encoded(raw[:16])),
        "one bit of the digest changed": with_headers(right, signature=encoded(flipped)),
        "the right digest under a version that is not known": with_headers(
            right, signature=signature(right).replace("v1,", "v1a,")
        ),
        "the right digest without a version": with_headers(right, signature=signature(right)[3:]),
    }


def text() -> str:
    """The whole file."""
    whole: dict[str, Any] = {"about": ABOUT}
    for name, made in (("good", good()), ("bad", bad())):
        whole[name] = [{"name": each, **message} for each, message in made.items()]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_schema_file(PATH, text())
