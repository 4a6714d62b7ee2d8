"""Keyed pseudonyms of customer ids: nobody without the key can test a guessed id against them, as with a
plain hash of an address or a number.

Three settings are such keys, each of one use, so that those of two uses cannot be joined: `Pseudonyms`
(STREAM_ERASURE_KEY) and `mask_digest` (STREAM_DASHBOARD_MASK_KEY) are HMAC-SHA-256 (RFC 2104, FIPS 198-1),
`log_digest` (STREAM_LOG_KEY) is keyed BLAKE2b (RFC 7693). They are kept in stores and logs: what they give
for a key and an id never changes.
"""

from __future__ import annotations

import hashlib
import hmac

ERASED = b"erased"
"""The use of pseudonyms of customers who were erased, by STREAM_ERASURE_KEY."""
DIGEST_BYTES = 16
"""Of the 32 of SHA-256: two of 10^9 customers have the same with a chance of about 10^-21."""
MASK_BYTES = 10
"""80 bits: two of ten million customers have the same with a chance below one in ten billion."""
LOG_BYTES = 8
"""64 bits: two of a million customers in a log have the same with a chance below one in ten million."""
LOG_KEY_BYTES_MAX = 64
"""BLAKE2b takes no longer key; what follows is not used."""
KEY_CHARACTERS_MIN = 16
"""A shorter key can be found by trying all."""


class Pseudonyms:
    """The pseudonyms of one use (`use`, such as b"erased"), by the keys of a setting.

    `keys`: one or several secret texts, separated by spaces. The first one makes new pseudonyms; by the
    others what was written before a change of key is still found.
    """

    def __init__(self, keys: str, use: bytes) -> None:
        self._keys = [hmac.digest(utf8_bytes(key), use, "sha256") for key in keys.split()]

    def __bool__(self) -> bool:
        """Whether there is a key."""
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"Pseudonyms({len(self._keys)} keys)"  # no secret in a traceback

    def of(self, customer: str | bytes) -> str:
        """The pseudonym of a customer id: 32 hexadecimal digits."""
        return self.all_of(customer)[0]

    def all_of(self, customer: str | bytes) -> list[str]:
        """The pseudonyms by each of the keys, that of the first one first; none without a key."""
        text = utf8_bytes(customer)
        return [_hmac(key, text, DIGEST_BYTES).hex() for key in self._keys]


def mask_digest(key: bytes, customer: str | bytes) -> bytes:
    """MASK_BYTES that stand for a customer id on a page whose ids are masked."""
    return _hmac(key, utf8_bytes(customer), MASK_BYTES)


def log_digest(key: bytes, customer: str | bytes) -> bytes:
    """LOG_BYTES that stand for a customer id in lines of a log. `key`: 1 to LOG_KEY_BYTES_MAX bytes count."""
    return hashlib.blake2b(utf8_bytes(customer), key=key[:LOG_KEY_BYTES_MAX], digest_size=LOG_BYTES).digest()


def utf8_bytes(text: str | bytes) -> bytes:
    """UTF-8; single surrogates, which JSON can hold, as they are."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _hmac(key: bytes, text: bytes, digest_bytes: int) -> bytes:
    return hmac.digest(key, text, "sha256")[:digest_bytes]


def keys_problem(keys: str) -> str:
    """Why these texts can be no keys; empty when they can. The text quotes none of them."""
    if any(len(key) < KEY_CHARACTERS_MIN for key in keys.split()):
        return f"a key has fewer than {KEY_CHARACTERS_MIN} characters"
    return ""
