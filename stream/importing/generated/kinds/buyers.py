"""The customers of a shop of one kind: how each buys, with the true parameters. Three ways of buying.

What a customer does not know beforehand, such as the day on which they leave, is no parameter: it is drawn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from msgspec import Struct

from stream.importing.generated.shop import DAY


class Pace(Struct, frozen=True, kw_only=True):
    """Factor on everybody's purchase rate, constant between instants: growth, a fall, days of lost orders.

    `factors[i]` holds from `from_at[i]` (ascending) to the next instant; before the first one it is 1.
    """

    from_at: tuple[datetime, ...] = ()
    factors: tuple[float, ...] = ()

    def spans(self, begins: datetime, ends: datetime) -> Iterator[tuple[float, float]]:
        """Length in days and factor of each constant span of the time from `begins` to `ends`, in order."""
        if ends <= begins:
            return
        first = bisect_right(self.from_at, begins)
        last = bisect_right(self.from_at, ends)
        borders = [begins, *self.from_at[first:last], ends]
        for place, (one, other) in enumerate(pairwise(borders)):
            number = first + place - 1
            yield (other - one) / DAY, self.factors[number] if number >= 0 else 1.0


class SteadyBuyer(Struct, frozen=True, kw_only=True, tag_field="buys", tag="steadily"):
    """Buys at random (a Poisson process) at an own rate times the shop's pace; may leave at any time."""

    id: str
    kind: str
    """The generator's own name for such customers: all_year, steady."""
    order_minor: float
    """Mean spend of one order, cents."""
    orders_per_day: float
    leaves_per_day: float
    """Rate of leaving for good; 1 / this is the mean lifetime in days after the first order."""


class SeasonalBuyer(Struct, frozen=True, kw_only=True, tag_field="buys", tag="seasonally"):
    """Buys once in the season of their first year, and returns in the next one with their own chance.

    Who does not return in a season has left for good (the beta-geometric process of Fader and Hardie 2007).
    The time within the season is uniform. A season lies within one calendar year.
    """

    id: str
    kind: str
    order_minor: float
    first_year: int
    month: int
    day: int
    """The season begins on this day at 0:00 UTC."""
    days: int
    returns: float
    """Chance to buy in the season after one in which they bought, 0 to 1."""

    def season(self, year: int) -> tuple[datetime, datetime]:
        """Begin and end (exclusive) of the season of a year."""
        begins = datetime.fromisoformat(f"{year:04d}-{self.month:02d}-{self.day:02d}T00:00:00+00:00")
        return begins, begins + self.days * DAY


class RhythmicBuyer(Struct, frozen=True, kw_only=True, tag_field="buys", tag="in_a_rhythm"):
    """Buys after normal (clockwork) or exponential (irregular) gaps, and leaves after an order by chance."""

    id: str
    kind: str
    order_minor: float
    gap_days: float
    """Mean gap between orders."""
    gap_sd_days: float | None
    """Standard deviation of a normal gap, at most a fifth of the mean; None: the gap is exponential."""
    leaves_after_order: float
    """Chance that an order was the last one, 0 to 1."""


Buyer = SteadyBuyer | SeasonalBuyer | RhythmicBuyer


class KnownShop(Struct, frozen=True, kw_only=True):
    """A shop of one kind with its true parameters, as written by `--truth`: all that true chances need."""

    kind: str
    seed: int
    begins: datetime
    ends: datetime
    pace: Pace
    customers: Sequence[Buyer]
    """All who bought at least once, by id."""
