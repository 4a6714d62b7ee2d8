"""A token bucket: how many attempts an endpoint gets. Whole numbers only, so that no token is lost or won."""

from __future__ import annotations

from msgspec import Struct

from stream.core.units import MINUTE_MS

TOKEN = MINUTE_MS
"""Credit that one attempt costs: with a rate per minute, a millisecond brings `per_minute` of it."""


class Rate(Struct, frozen=True):
    """At most `per_minute` attempts a minute in the long run, and `burst` of them at once."""

    per_minute: int
    burst: int


class TokenBucket:
    """Full at the start. Within any span of t minutes it gives at most burst + t x per_minute tokens."""

    def __init__(self, rate: Rate, at_ms: int) -> None:
        self._rate = rate
        self._credit = rate.burst * TOKEN
        self._seen_ms = at_ms

    def tokens(self, at_ms: int) -> int:
        """How many there are at an instant. A clock that is set back brings none."""
        gained = max(0, at_ms - self._seen_ms) * self._rate.per_minute
        self._credit = min(self._rate.burst * TOKEN, self._credit + gained)
        self._seen_ms = at_ms
        return self._credit // TOKEN

    def take(self, count: int) -> None:
        """Take tokens that `tokens` said there are."""
        assert count * TOKEN <= self._credit
        self._credit -= count * TOKEN

    def next_ms(self) -> int:
        """The first instant, at or after the last one seen, at which there is a token."""
        missing = max(0, TOKEN - self._credit)
        return self._seen_ms + -(-missing // self._rate.per_minute)
