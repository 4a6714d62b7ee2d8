"""When a customer of a shop of one kind buys: draws from the parameters that are stated as the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from stream.importing.generated.kinds.buyers import Buyer, Pace, RhythmicBuyer, SeasonalBuyer, SteadyBuyer
from stream.importing.generated.purchases import whole_seconds
from stream.importing.generated.shop import DAY

GAP_DAYS_MIN = 1 / 24
"""So that no two orders of a customer are within the same hour by a draw of nearly nothing."""


def order_times(
    buyer: Buyer, first_at: datetime, ends: datetime, pace: Pace, random: Random
) -> Iterator[datetime]:
    """Times of the orders before `ends` in whole seconds, ascending.

    `first_at` is the first order; a seasonal buyer's is drawn within the season of their first year.
    """
    if isinstance(buyer, SeasonalBuyer):
        yield from _seasonal(buyer, ends, random)
    elif isinstance(buyer, SteadyBuyer):
        yield from _steady(buyer, first_at, ends, pace, random)
    else:
        yield from _rhythmic(buyer, first_at, ends, random)


def _steady(
    buyer: SteadyBuyer, first_at: datetime, ends: datetime, pace: Pace, random: Random
) -> Iterator[datetime]:
    if buyer.leaves_per_day > 0.0:
        ends = min(ends, first_at + random.expovariate(buyer.leaves_per_day) * DAY)
    at = first_at
    while at < ends:
        yield whole_seconds(at)
        needed = random.expovariate(buyer.orders_per_day)
        for days, factor in pace.spans(at, ends):
            if needed <= days * factor:
                at += needed / factor * DAY
                break
            at += days * DAY
            needed -= days * factor
        else:
            return


def _seasonal(buyer: SeasonalBuyer, ends: datetime, random: Random) -> Iterator[datetime]:
    for year in range(buyer.first_year, ends.year + 1):
        at = buyer.season(year)[0] + random.random() * buyer.days * DAY
        if (year > buyer.first_year and random.random() >= buyer.returns) or at >= ends:
            return
        yield whole_seconds(at)


def _rhythmic(buyer: RhythmicBuyer, first_at: datetime, ends: datetime, random: Random) -> Iterator[datetime]:
    at = first_at
    while at < ends:
        yield whole_seconds(at)
        if random.random() < buyer.leaves_after_order:
            return
        at += max(_gap_days(buyer, random), GAP_DAYS_MIN) * DAY


def _gap_days(buyer: RhythmicBuyer, random: Random) -> float:
    if buyer.gap_sd_days is None:
        return random.expovariate(1.0 / buyer.gap_days)
    return random.gauss(buyer.gap_days, buyer.gap_sd_days)
