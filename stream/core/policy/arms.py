"""The arm of an experiment that a customer is in: a hash of salt, policy id and customer, and nothing else.

So it is the same in every worker, replay and language, without a table of customers, and it stays as long
as the salt does. A larger share keeps everybody held out who was. Another salt mixes all customers anew: each
period of a long experiment has its own, because groups that are held out for years drift apart.

To compute it elsewhere: SHA-256 of the UTF-8 text LENGTH:SALT LENGTH:POLICY CUSTOMER without the spaces,
lengths in bytes. The first 53 bits of the digest, divided by 2^53, are below the share: held out. SALT is the
salt of the policy, a space, and the first day of the period: `2026 2026-12-01`.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from stream.core.policy.policy import AlertKind, Policy
from stream.core.units import DAY_MS, Share

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


class Assignment(Struct, frozen=True, omit_defaults=True):
    """The arm that an alert's customer is in, and what it follows from."""

    arm: Arm
    share: float
    """Share of the customers who are held out, 0 to 0.9."""
    salt: str
    period: str
    """First day of the period of the experiment, such as 2026-12-01; each period deals the customers anew."""


def assigned(policy: Policy, customer: str, kind: AlertKind, tier: str, raised_ms: int) -> Assignment | None:
    """The arm of an alert of this kind, raised at an instant (ms since 1970 UTC) about a customer of a tier.

    None: the policy has no experiment, or the alert is not in it. All alerts of an episode have the arm with
    which it was raised, whatever the customer's tier or the policy are later.
    """
    experiment = policy.experiment
    if not experiment.share or (first_day := day_of(experiment.begins)) is None:
        return None
    in_it = (kind, experiment.kinds), (tier, experiment.tiers)
    since = policy.calendar.local_day(raised_ms) - first_day
    if since < 0 or any(allowed and each not in allowed for each, allowed in in_it):
        return None
    length = experiment.period_ms // DAY_MS
    period = (date(1970, 1, 1) + timedelta(days=first_day + since // length * length)).isoformat()
    arm = arm_of(customer, policy.id, f"{experiment.salt} {period}", experiment.share)
    return Assignment(arm, experiment.share, experiment.salt, period)


def day_of(text: str) -> int | None:
    """A day such as 2026-12-01 as the number of days since 1970-01-01; None for any other text."""
    try:
        return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None


def _sized(text: str) -> bytes:
    """A text with its length before it, so that no two texts can stand for two others."""
    encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:" % len(encoded) + encoded
