"""Customer ids as people see them where ids are masked: a name that stays and cannot be turned back."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode

from msgspec import Struct

MASK_BYTES = 10
"""80 bits: two of ten million customers have the same with a chance below one in ten billion."""
OF_KEY = b"\0of the key"


class MaskEntry(Struct, frozen=True):
    """What a customer is shown as, as columns of the table `masks`, in this order."""

    customer: str
    mask: str


class Masks:
    """HMAC-SHA256 of the id (RFC 2104), shortened, in letters and digits."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self.fingerprint = self._digest(OF_KEY).hex()
        """Of the key: a store that was filled under another key is filled anew."""

    def of(self, customer: str) -> str:
        """`m-` and 16 letters and digits."""
        return f"m-{b32encode(self._digest(customer.encode('utf-8', 'surrogatepass'))).decode().lower()}"

    def _digest(self, text: bytes) -> bytes:
        return hmac.new(self._key, text, hashlib.sha256).digest()[:MASK_BYTES]
