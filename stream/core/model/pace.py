"""At what pace known customers buy, beside what the purchase process makes of their lives so far.

What value needs of a model that the purchase process does not know; all of it is learnt from past looks.
"""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta

from stream.core.model.part import ModelPart, Positive
from stream.core.units import YEAR_MS

FURTHER = (0.01, 4.0)
"""Between these are all factors of `Further`: beyond, something else has happened than a pace."""


class Trend(ModelPart, frozen=True):
    """How many times the purchases that the process expects of known customers they make, in the mean.

    A process takes the pace of a whole life for that of the future. In a shop that grows, or shrinks, it is
    another one, the more so the further one looks ahead.
    """

    level: float
    """Logarithm of that factor for the near future."""
    slope: float
    """What a year further ahead adds to it."""
    ahead_max_ms: Annotated[int, Meta(gt=0)]
    """So far ahead was looked when it was learnt; beyond, the factor stays."""
    learnt: str
    """Plain words: from what, and how much better it was on a look that was not learnt from."""

    def factor(self, ahead_ms: float) -> float:
        """How many times the expected purchases are made within a time from now on."""
        return math.exp(self.level + self.slope * min(ahead_ms, self.ahead_max_ms) / YEAR_MS)


class Wander(ModelPart, frozen=True):
    """How much the pace at which one customer buys comes to differ from that of their life so far."""

    per_year: Positive
    """Variance of the coming rate over the past one, for a year of history and time looked ahead together."""
    learnt: str
    """Plain words: from what, and how much likelier it made a look that was not learnt from."""


class Further(ModelPart, frozen=True, eq=False):
    """How many times as fast as the process says purchases come after the next one, by kind of buyers.

    Who buys once a year, in May, will have bought once within a year, if at all; the process has them buy at
    random times, so more than once. The chance of the next purchase is not touched by it. The numbers of the
    kinds are in the order of `Seasons`.
    """

    levels: Annotated[tuple[float, ...], Meta(min_length=1)]
    """Logarithm of each kind's factor for the near future."""
    slopes: tuple[float, ...]
    """What a year further ahead adds to it."""
    ahead_max_ms: Annotated[int, Meta(gt=0)]
    """So far ahead was looked when it was learnt; beyond, the factors stay."""
    learnt: str
    """Plain words: from what, and how much better it was on a look that was not learnt from."""

    def factors(self, ahead_ms: float) -> tuple[float, ...]:
        """Of each kind how many times as fast, within a time from now on; held to what is no absurdity."""
        years = min(ahead_ms, self.ahead_max_ms) / YEAR_MS
        low, high = FURTHER
        logs = (level + slope * years for level, slope in zip(self.levels, self.slopes, strict=True))
        return tuple(min(max(math.exp(one), low), high) for one in logs)
