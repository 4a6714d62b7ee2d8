"""Retention as businesses count it: who bought in one period and again in the next; and lifetimes.

Only periods that are over are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median_low

import numpy as np

from stream.analysis.business.payments import Payment
from stream.analysis.statistics.tier_ranks import tier_ranks
from stream.core.model.record import Retention
from stream.core.units import DAY_MS, YEAR_MS
from stream.fit.arrays import Numbers
from stream.fit.purchases.shifted_beta_geometric import (
    fit_retention,
    lifetime_interval,
    lifetime_periods,
    simple_lifetime,
)

PERIODS_MS = {"year": YEAR_MS, "half-year": YEAR_MS // 2, "quarter": YEAR_MS // 4, "month": YEAR_MS // 12}
PERIODS_MIN = 4
"""The longest period is taken of which at least this many are over, where customers buy that often."""
GAP_SLACK = 1.1
"""A period may be shorter than the usual gap by this factor: quarterly buyers are not quite punctual."""
COHORT_MIN = 30
"""With fewer customers in the first cohort no retention model is fitted."""


@dataclass(frozen=True)
class PeriodRetention:
    """One cohort in one period: customers who bought in it, and how many of them bought in the next one."""

    cohort: int
    """Period of the first purchase; -1 for all customers."""
    period: int
    active: int
    again: int

    @property
    def rate(self) -> float | None:
        """Retention rate; None where nobody bought in the period."""
        return self.again / self.active if self.active else None


@dataclass(frozen=True)
class RetentionTable:
    """Retention by cohort and period; lifetimes are in periods."""

    unit: str
    """Name of the period's length: year, half-year, quarter or month."""
    start_ms: int
    starts_ms: tuple[int, ...]
    """When each period that is over begins, as the clock of the business shows it."""
    rates: tuple[PeriodRetention, ...]
    simple_lifetime: float | None
    retention: Retention | None
    """The shifted-beta-geometric model of the first cohort; None where it cannot be fitted."""
    lifetime: float | None
    """Discounted lifetime by that model."""
    lifetime_90: tuple[float, float] | None
    """Its 90% interval."""


def retention_table(
    orders: Mapping[str, Mapping[str, int]], first_ms: int, last_ms: int, discount: float
) -> RetentionTable:
    """Retention from the orders (customer -> order -> time) between two instants; `discount` is per year."""
    unit = _unit(orders, last_ms - first_ms)
    length_ms = PERIODS_MS[unit]
    start_ms = first_ms // DAY_MS * DAY_MS
    over = (last_ms - start_ms) // length_ms
    active = [
        {int((at_ms - start_ms) // length_ms) for at_ms in bought.values()}
        for bought in orders.values()
        if bought
    ]
    active = [periods & set(range(over)) for periods in active]
    cohorts = [min(periods, default=-1) for periods in active]
    rates = []
    for cohort in (-1, *range(max(0, over - 1))):
        members = [p for p, c in zip(active, cohorts, strict=True) if cohort in (-1, c)]
        for period in range(max(0, cohort), over - 1):
            here = [periods for periods in members if period in periods]
            rates.append(
                PeriodRetention(cohort, period, len(here), sum(period + 1 in periods for periods in here))
            )
    everybody = [one for one in rates if one.cohort == -1]
    first_rate = everybody[0].rate if everybody else None
    survivors = _survivors([p for p, c in zip(active, cohorts, strict=True) if c == 0], over)
    fitted = fit_retention(survivors).retention if survivors is not None else None
    periodic = (1.0 + discount) ** (length_ms / YEAR_MS) - 1.0
    return RetentionTable(
        unit=unit,
        start_ms=start_ms,
        starts_ms=tuple(start_ms + period * length_ms for period in range(over)),
        rates=tuple(rates),
        simple_lifetime=simple_lifetime(first_rate) if first_rate is not None else None,
        retention=fitted,
        lifetime=lifetime_periods(fitted, periodic) if fitted else None,
        lifetime_90=lifetime_interval(survivors, periodic) if survivors is not None else None,
    )


def _unit(orders: Mapping[str, Mapping[str, int]], span_ms: int) -> str:
    """The longest period that is over often enough, but none that is much shorter than customers' usual gap.

    By the month nobody who buys each quarter would ever come back. Where no such period is over often enough,
    it is the shortest of them.
    """
    gap_ms = _usual_gap_ms(orders)
    fitting = {name: length for name, length in PERIODS_MS.items() if length * GAP_SLACK >= gap_ms}
    if not fitting:
        return next(iter(PERIODS_MS))
    return next(
        (name for name, length in fitting.items() if span_ms // length >= PERIODS_MIN), list(fitting)[-1]
    )


def _usual_gap_ms(orders: Mapping[str, Mapping[str, int]]) -> float:
    """Median over customers of their own mean gap between purchase days; 0 where nobody has bought twice."""
    gaps = []
    for bought in orders.values():
        days = {at_ms // DAY_MS for at_ms in bought.values()}
        if len(days) > 1:
            gaps.append((max(days) - min(days)) / (len(days) - 1))
    return median_low(gaps) * DAY_MS if gaps else 0.0


def monthly_cohorts(
    orders: Mapping[str, Mapping[str, int]], first_ms: int, end_ms: int
) -> list[dict[str, object]]:
    """Customers by the calendar month of their first purchase; instants are as the clock of the business
    shows them.

    For each month its name (`2026-03`), the day of the month on which the history begins in it (`first_ms`; 1
    for a whole month), its customers, and how many of them bought in each month from then on up to the one of
    the millisecond before `end_ms`, which is usually not over.
    """
    begins, last = _month(first_ms), _month(end_ms - 1)
    bought: dict[int, Counter[int]] = {}
    for moved in orders.values():
        months = {_month(at_ms) for at_ms in moved.values() if at_ms < end_ms}
        if months:
            first = min(months)
            bought.setdefault(first, Counter()).update(month - first for month in months)
    return [
        {
            "month": f"{first // 12:04d}-{first % 12 + 1:02d}",
            "from_day": datetime.fromtimestamp(first_ms / 1_000, UTC).day if first == begins else 1,
            "customers": counts[0],
            "bought": [counts[place] for place in range(last - first + 1)],
            "is_over": _month(end_ms) > last,
        }
        for first, counts in sorted(bought.items())
    ]


def _month(at_ms: int) -> int:
    """Months since year 0."""
    day = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return 12 * day.year + day.month - 1


def _survivors(cohort: list[set[int]], over: int) -> Numbers | None:
    """How many of the first cohort buy in a period or later, from each member's periods; None: too few."""
    survivors = np.array([sum(max(p) >= period for p in cohort) for period in range(max(0, over - 1))], float)
    if len(survivors) < PERIODS_MIN - 1 or survivors[0] < COHORT_MIN or survivors[0] == survivors[-1]:
        return None
    return survivors


@dataclass(frozen=True)
class SegmentRetention:
    """One segment: customers who bought in a period, over all periods, and again in the next."""

    segment: str
    active: int
    again: int

    @property
    def rate(self) -> float | None:
        """Retention rate; None where nobody bought in the period."""
        return self.again / self.active if self.active else None


def retention_by_spending(
    payments: Mapping[str, Sequence[Payment]],
    table: RetentionTable,
    last_ms: int,
    steps: Sequence[tuple[str, float]],
) -> list[SegmentRetention]:
    """Retention by what was spent on the orders of the period itself, less what went back of them.

    `steps` are names of segments with the quantile of spending from which each begins, the lowest first.
    """
    length_ms = PERIODS_MS[table.unit]
    over = (last_ms - table.start_ms) // length_ms
    spent: list[dict[str, int]] = [{} for _ in range(max(0, over))]
    for customer, moved in payments.items():
        for one in moved:
            period = (one.order_ms - table.start_ms) // length_ms
            if 0 <= period < over and (one.is_order or customer in spent[period]):
                spent[period][customer] = spent[period].get(customer, 0) + one.minor
    active, again = np.zeros(len(steps), int), np.zeros(len(steps), int)
    for here, after in pairwise(spent):
        amounts = np.maximum(0.0, np.array(list(here.values()), float))
        if not len(amounts):
            continue
        ranks = tier_ranks(amounts, [quantile for _, quantile in steps[1:]])
        stayed = np.array([customer in after for customer in here])
        active += np.bincount(ranks, minlength=len(steps))
        again += np.bincount(ranks[stayed], minlength=len(steps))
    return [
        SegmentRetention(name, int(active[rank]), int(again[rank])) for rank, (name, _) in enumerate(steps)
    ]
