"""Signatures of Standard Webhooks, version `v1`: HMAC-SHA256 of `id.timestamp.body` over the raw body.

A receiver checks them with the library `standardwebhooks` of its language. With two secrets there are two
signatures, so that a secret can be replaced while old and new are both in use.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64
"""What the specification asks of a secret."""


class SecretError(ValueError):
    """A text that is no secret; the message says why, and quotes nothing of it."""


def secret_key(secret: str) -> bytes:
    """The key in a secret as Standard Webhooks writes it: `whsec_` and base64 of 24 to 64 bytes."""
    if not secret.startswith(PREFIX):
        raise SecretError(f"a secret begins with {PREFIX}")
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"what follows {PREFIX} is not base64") from None
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        allowed = f"{KEY_BYTES_MIN} to {KEY_BYTES_MAX}"
        raise SecretError(f"a secret of {len(key)} bytes; allowed: {allowed} (before base64)")
    return key


def signed_headers(keys: Sequence[bytes], webhook_id: str, at_ms: int, body: bytes) -> dict[str, str]:
    """The three headers of a message that is sent at `at_ms`, signed with each of the keys."""
    seconds = at_ms // 1_000
    content = f"{webhook_id}.{seconds}.".encode() + body
    digests = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{digest}" for digest in digests),
    }
