"""Keyed pseudonyms of customer ids: HMAC-SHA-256 (RFC 2104, FIPS 198-1), so that nobody without the key can
test a guessed id against them, as with a plain hash of an address or a number.

A pseudonym is of one use: those of two uses of a key cannot be joined.
"""

from __future__ import annotations

import hashlib
import hmac

ERASED = b"erased"
"""The use of pseudonyms of customers who were erased, by STREAM_ERASURE_KEY."""
DIGEST_BYTES = 16
"""Of the 32 of SHA-256: two of 10^9 customers have the same with a chance of about 10^-21."""
KEY_CHARACTERS_MIN = 16
"""A shorter key can be found by trying all."""


class Pseudonyms:
    """The pseudonyms of one use (`use`, such as b"erased"), by the keys of a setting.

    `keys`: one or several secret texts, separated by spaces. The first one makes new pseudonyms; by the
    others what was written before a change of key is still found.
    """

    def __init__(self, keys: str, use: bytes) -> None:
        self._keys = [
            hmac.digest(key.encode("utf-8", "surrogatepass"), use, "sha256") for key in keys.split()
        ]

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
        text = customer if isinstance(customer, bytes) else customer.encode("utf-8", "surrogatepass")
        return [hmac.digest(key, text, hashlib.sha256).hex()[: 2 * DIGEST_BYTES] for key in self._keys]


def keys_problem(keys: str) -> str:
    """Why these texts can be no keys; empty when they can. The text quotes none of them."""
    if any(len(key) < KEY_CHARACTERS_MIN for key in keys.split()):
        return f"a key has fewer than {KEY_CHARACTERS_MIN} characters"
    return ""
