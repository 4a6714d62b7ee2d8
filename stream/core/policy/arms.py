"""The arm of an experiment that a customer is in: a hash of salt, policy id and customer, and nothing else.

So it is the same in every worker, replay and language, without a table of customers, and it stays as long
as the salt does. A larger share keeps everybody held out who was. Another salt mixes all customers anew: each
period of a long experiment has its own, because groups that are held out for years drift apart.

To compute it elsewhere: SHA-256 of the UTF-8 text LENGTH:SALT LENGTH:POLICY CUSTOMER without the spaces,
lengths in bytes. The first 53 bits of the digest, divided by 2^53, are below the share: held out.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from stream.core.units import Share

Arm = Literal["treated", "held_out"]
TREATED: Arm = "treated"
HELD_OUT: Arm = "held_out"
"""The arm that gets nothing."""

BITS = 53
"""What a float holds exactly."""


def arm_of(customer: str, policy_id: str, salt: str, share: Share) -> Arm:
    """The arm of a customer when this share of all customers, 0 to 1, is held out."""
    parts = (_sized(salt), _sized(policy_id), customer.encode("utf-8", "surrogatepass"))
    digest = hashlib.sha256(b"".join(parts)).digest()
    draw = (int.from_bytes(digest[:8], "big") >> (64 - BITS)) / (1 << BITS)
    return HELD_OUT if draw < share else TREATED


def _sized(text: str) -> bytes:
    """A text with its length before it, so that no two texts can stand for two others."""
    encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:" % len(encoded) + encoded
