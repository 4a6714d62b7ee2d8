"""What the numbers of a profile mean: on whose calendar its days are, in which currency its money is, and how
texts of feedback are read.

It is made of the policy. A profile whose facts were folded with another meaning cannot be read with this one:
its days are other days, or its money another. `digest` tells them apart.
"""

from __future__ import annotations

from hashlib import sha256

from stream.core.calendar import Calendar
from stream.core.currency import NO_EXCHANGE, Exchange
from stream.core.policy.policy import Policy
from stream.core.text.themes import ThemeReader

DIGEST_CHARACTERS = 8


class Meaning:
    """What facts mean under one policy; it never changes."""

    __slots__ = ("calendar", "digest", "money", "reader")

    def __init__(self, policy: Policy) -> None:
        self.reader = ThemeReader(policy.themes, policy.lexicon)
        """How texts of feedback are read; only what is folded from now on depends on it."""
        self.calendar = policy.calendar
        """The days of the business."""
        self.money = Exchange(policy.finance.currency, policy.finance.rates)
        """The currency in which money counts, and the rates of others."""
        self.digest = digest_of(policy.calendar, self.money)
        """8 hexadecimal digits of all that changes the meaning of facts; empty for a policy that leaves every
        such thing at its default."""


def digest_of(calendar: Calendar, money: Exchange = NO_EXCHANGE) -> str:
    """The digest of what facts mean: of every change of the zone's clock, and of rates with their currency.

    Empty where days are UTC's and nothing is exchanged. Neither the zone's name is in it nor the version of
    `tzdata`: another name, or a version that changes other zones, does not change these facts. Nor does a
    currency without rates: amounts are then kept as they are.
    """
    if calendar.is_utc and not money.rates:
        return ""
    content = repr((calendar.offsets_ms, calendar.changes_ms))
    if money.rates:
        content += repr((money.currency, money.rates))
    return sha256(content.encode()).hexdigest()[:DIGEST_CHARACTERS]
