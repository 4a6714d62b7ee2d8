"""Customer ids as people see them where ids are masked: a name that stays and cannot be turned back."""

from __future__ import annotations

from base64 import b32encode

from msgspec import Struct

from stream.pseudonyms import mask_digest, utf8_bytes

OF_KEY = b"\0of the key"


class MaskEntry(Struct, frozen=True):
    """What a customer is shown as, as columns of the table `masks`, in this order."""

    customer: str
    mask: str


class Masks:
    """Keyed hashes of ids (`stream.pseudonyms`), in letters and digits."""

    def __init__(self, key: str) -> None:
        self._key = utf8_bytes(key)
        self.fingerprint = mask_digest(self._key, OF_KEY).hex()
        """Of the key: a store that was filled under another key is filled anew."""

    def of(self, customer: str) -> str:
        """`m-` and 16 letters and digits."""
        return f"m-{b32encode(mask_digest(self._key, customer)).decode().lower()}"
