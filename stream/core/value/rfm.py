"""Recency, frequency, monetary value: the BG/NBD summary and the classic 1-to-5 scores, at an instant.

One day with several orders is one purchase (lifetimes, BTYD); the first day's money is left out of the mean.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.purchases import Buying
from stream.core.facts.sums import monetary_minor
from stream.core.model.record import Model
from stream.core.units import DAY_MS


class Summary(Struct, frozen=True, gc=False):
    """`frequency` x repeat purchase days, `recency` t_x and `T` in model units, `monetary_minor` a day."""

    frequency: int
    recency: float
    T: float
    inactive_days: float
    monetary_minor: float


class Scores(Struct, frozen=True):
    """Quintiles of the population, 5 best."""

    r: int
    f: int
    m: int


def summary(buying: Buying, as_of_ms: int, unit_ms: int) -> Summary:
    """Frequency, recency, T and monetary value of a customer as of an instant, as BG/NBD defines them.

    Recency and T are in units of `unit_ms`, not rounded. The customer must have a purchase: without one the
    numbers mean nothing. An `as_of_ms` before the last purchase counts as the day of that purchase.
    """
    sums = buying.sums
    first_day = sums.first_at_ms // DAY_MS
    last_day = sums.last_at_ms // DAY_MS
    recency_ms = (last_day - first_day) * DAY_MS
    age_ms = max(as_of_ms - first_day * DAY_MS, recency_ms)
    inactive_days = (age_ms - recency_ms) / DAY_MS
    return Summary(sums.days - 1, recency_ms / unit_ms, age_ms / unit_ms, inactive_days, monetary_minor(sums))


def scores(summary: Summary, model: Model) -> Scores:
    """RFM scores by the population's mid-rank quintiles."""
    population = model.population
    return Scores(
        6 - population.inactive_days.quintile(summary.inactive_days),
        population.frequency.quintile(summary.frequency),
        population.monetary_minor.quintile(summary.monetary_minor),
    )
