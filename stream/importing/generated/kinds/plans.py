"""The kinds of shops, fixed before any method was tried on them: who buys how, and the shop's pace.

Each record has four years, from 2021 on. Customers come at a constant rate (times the pace), and as many are
there at the beginning as stay on average, so that the volume is level where the kind does not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Literal

from msgspec import Struct

from stream.importing.generated.kinds.buyers import Buyer, Pace, RhythmicBuyer, SeasonalBuyer, SteadyBuyer
from stream.importing.generated.shop import DAY

KindOfShop = Literal["christmas", "annual", "clockwork", "drift", "growth", "stall", "small"]

BEGINS, ENDS = datetime(2021, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
DAYS = (ENDS - BEGINS) / DAY
YEAR_DAYS = 365.25
THERE_WITHIN_DAYS = 60.0
"""Customers who are there at the beginning have their first order within this time."""
FIRST_YEARS = {2021: 3, 2022: 1, 2023: 1, 2024: 1}
"""First year of a seasonal buyer -> weight."""
DRIFT_AT, DRIFT_FACTOR = datetime(2024, 1, 1, tzinfo=UTC), 1 / 3
GROWTH_PER_YEAR = 1.5
"""Factor on everybody's purchase rate, and on the number of new customers; steps on the first of a month."""
STALLS = (("2022-05-10", "2022-05-17"), ("2023-09-15", "2023-11-14"))
"""First day, and the day after the last one, of times in which a tenth of the orders arrive."""
STALLED_FACTOR = 0.1


class PlannedBuyer(Struct, frozen=True):
    """A customer and the time of their first order (of seasonal buyers: before the first order is drawn)."""

    buyer: Buyer
    first_at: datetime


class KindPlan(Struct, frozen=True):
    """How many customers a kind of shop has unless stated, its pace, and how a customer is drawn.

    `draw(number, id, mean spend in cents, random)`; `mean_lifetime_days` says how many are there at first.
    """

    customers: int
    draw: Callable[[int, str, float, Random], Buyer]
    mean_lifetime_days: float
    pace: Pace = Pace()


def planned_buyer(plan: KindPlan, number: int, random: Random) -> PlannedBuyer:
    """The customer of this number, 0 or more."""
    order_minor = min(max(random.lognormvariate(8.4, 0.6), 800.0), 60_000.0)
    first_at = _first_at(plan, random)
    return PlannedBuyer(plan.draw(number, f"customer-{number:05d}", order_minor, random), first_at)


def _first_at(plan: KindPlan, random: Random) -> datetime:
    """There at the beginning, or later: uniform in the time weighted by the pace."""
    if random.random() < plan.mean_lifetime_days / (plan.mean_lifetime_days + DAYS):
        return BEGINS + random.random() * THERE_WITHIN_DAYS * DAY
    spans = list(plan.pace.spans(BEGINS, ENDS))
    weights = list(accumulate(days * factor for days, factor in spans))
    wanted = random.random() * weights[-1]
    at = BEGINS
    for (days, factor), weight in zip(spans, weights, strict=True):
        if wanted <= weight:
            return at + (days - (weight - wanted) / factor) * DAY
        at += days * DAY
    return at


def _christmas(number: int, name: str, order_minor: float, random: Random) -> Buyer:
    """Half buy from 15 November to 24 December; the others all year: mean gap 8 weeks, lifetime 2 years."""
    if number % 2:
        return SteadyBuyer(
            id=name, kind="all_year", order_minor=order_minor, orders_per_day=1 / 56, leaves_per_day=1 / 730
        )
    return SeasonalBuyer(
        id=name,
        kind="christmas",
        order_minor=order_minor,
        first_year=random.choices(list(FIRST_YEARS), list(FIRST_YEARS.values()))[0],
        month=11,
        day=15,
        days=40,
        returns=random.betavariate(2, 2),
    )


def _annual(number: int, name: str, order_minor: float, random: Random) -> Buyer:
    """Half buy once a year, in May; the others all year, so often that a third of all orders are of May."""
    if number % 2:
        return SteadyBuyer(
            id=name,
            kind="all_year",
            order_minor=order_minor,
            orders_per_day=max(random.gammavariate(2.0, 1 / 110 / 2.0), 1 / 730),
            leaves_per_day=1 / 1_095,
        )
    return SeasonalBuyer(
        id=name,
        kind="annual",
        order_minor=order_minor,
        first_year=random.choices(list(FIRST_YEARS), list(FIRST_YEARS.values()))[0],
        month=5,
        day=1,
        days=31,
        returns=random.betavariate(8, 2),
    )


def _clockwork(number: int, name: str, order_minor: float, _random: Random) -> Buyer:
    """Half buy every 30 days (standard deviation 2), half after exponential gaps of 30 days in the mean."""
    clockwork = number % 2 == 0
    return RhythmicBuyer(
        id=name,
        kind="clockwork" if clockwork else "irregular",
        order_minor=order_minor,
        gap_days=30.0,
        gap_sd_days=2.0 if clockwork else None,
        leaves_after_order=0.08,
    )


def _steady(_number: int, name: str, order_minor: float, random: Random) -> Buyer:
    """Own rates of buying and leaving, gamma-distributed as in Pareto/NBD: about 60 and 900 days."""
    return SteadyBuyer(
        id=name,
        kind="steady",
        order_minor=order_minor,
        orders_per_day=min(max(random.gammavariate(1.5, 1 / 60 / 1.5), 1 / 730), 1 / 4),
        leaves_per_day=max(random.gammavariate(2.0, 1 / 900 / 2.0), 1 / 9_000),
    )


def _growing() -> Pace:
    months = [datetime(year, month, 1, tzinfo=UTC) for year in range(2021, 2025) for month in range(1, 13)]
    factors = [GROWTH_PER_YEAR ** ((month - BEGINS) / DAY / YEAR_DAYS) for month in months]
    return Pace(from_at=tuple(months), factors=tuple(factors))


def _stalling() -> Pace:
    borders = [datetime.fromisoformat(f"{day}T00:00:00+00:00") for stall in STALLS for day in stall]
    return Pace(from_at=tuple(borders), factors=(STALLED_FACTOR, 1.0) * len(STALLS))


PLANS: Mapping[KindOfShop, KindPlan] = {
    "christmas": KindPlan(3_500, _christmas, 730),
    "annual": KindPlan(3_000, _annual, 1_095),
    "clockwork": KindPlan(2_500, _clockwork, 30 / 0.08),
    "drift": KindPlan(3_000, _steady, 900, Pace(from_at=(DRIFT_AT,), factors=(DRIFT_FACTOR,))),
    "growth": KindPlan(3_000, _steady, 900, _growing()),
    "stall": KindPlan(3_000, _steady, 900, _stalling()),
    "small": KindPlan(600, _steady, 900),
}
"""Kind -> its plan."""
