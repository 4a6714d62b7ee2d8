"""Recency, frequency and monetary value at an instant, as BG/NBD counts them, and as scores from 1 to 5.

Several orders of one day count as one purchase, and the money of the first day is left out of the mean, as in
the packages lifetimes and BTYD.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.purchases import Buying
from stream.core.facts.sums import monetary_minor
from stream.core.model.record import Model
from stream.core.units import DAY_MS


class Summary(Struct, frozen=True, gc=False):
    """The history of one customer in the four numbers of the purchase models."""

    frequency: int
    """x: repeat purchase days."""
    recency: float
    """t_x: from the first purchase day to the last, in units of the process."""
    T: float
    """From the first purchase day to now, in units of the process."""
    inactive_days: float
    """From the last purchase day to now."""
    monetary_minor: float
    """Mean money of a repeat purchase day."""


class Scores(Struct, frozen=True):
    """Fifths of the population by recency, frequency and monetary value: 1 worst, 5 best."""

    r: int
    f: int
    m: int


def summary(buying: Buying, as_of_ms: int, unit_ms: int) -> Summary:
    """Frequency, recency, T and monetary value of a customer as of an instant, as BG/NBD defines them.

    Recency and T are in units of `unit_ms`, not rounded. The customer must have a purchase: without one the
    numbers mean nothing. An `as_of_ms` before the last purchase counts as the day of that purchase.
    """
    sums = buying.sums
    recency_ms = (sums.last_day - sums.first_day) * DAY_MS
    age_ms = max(as_of_ms - sums.first_midnight_ms, recency_ms)
    inactive_days = (age_ms - recency_ms) / DAY_MS
    return Summary(sums.days - 1, recency_ms / unit_ms, age_ms / unit_ms, inactive_days, monetary_minor(sums))


def scores(summary: Summary, model: Model) -> Scores:
    """RFM scores by the mid-ranks of the model's population."""
    population = model.population
    return Scores(
        6 - population.inactive_days.quintile(summary.inactive_days),
        population.frequency.quintile(summary.frequency),
        population.monetary_minor.quintile(summary.monetary_minor),
    )
