"""The customer's own rhythm: the gaps between purchase days.

It explains an alert and is no score: how long a silence is compared with the mean gap predicts churn poorly,
but people understand it at once.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from msgspec import Struct

from stream.core.calendar import Calendar
from stream.core.facts.purchases import Buying, purchase_days
from stream.core.facts.sums import Sums

RECENT_GAPS = 4


class Rhythm(Struct, frozen=True):
    """The gaps between the purchase days of the orders that a profile keeps."""

    gaps: int
    """How many there are."""
    usual_gap_days: float
    """Their median."""
    mean_gap_days: float
    recent_gap_days: float
    """Median of the latest four."""


def rhythm(buying: Buying, calendar: Calendar) -> Rhythm | None:
    """The rhythm of a customer; None if they bought on fewer than two days."""
    days = purchase_days(buying, calendar)
    if len(days) < 2:
        return None
    gaps = [later - earlier for earlier, later in pairwise(days)]
    return Rhythm(len(gaps), median(gaps), sum(gaps) / len(gaps), median(gaps[-RECENT_GAPS:]))


def mean_gap_days(sums: Sums) -> float | None:
    """The mean gap between all purchase days, also of orders that are no longer kept; None if there is
    none. At least one day."""
    if sums.days < 2:
        return None
    return (sums.last_day - sums.first_day) / (sums.days - 1)


def quickening(buying: Buying, calendar: Calendar) -> float:
    """How much more often the customer buys lately than in all kept orders: 0.25 is a quarter more often.

    0 if not more often, or with fewer than eight gaps.
    """
    own = rhythm(buying, calendar)
    if own is None or own.gaps < 2 * RECENT_GAPS or own.recent_gap_days <= 0:
        return 0.0
    return max(0.0, own.mean_gap_days / own.recent_gap_days - 1.0)


def regularity(sums: Sums) -> float:
    """Coefficient of variation of the gaps between purchase days: 0 for equal gaps, or if there are too
    few."""
    repeats = sums.days - 1
    span_days = sums.last_day - sums.first_day
    if repeats < 2 or not span_days:
        return 0.0
    mean = span_days / repeats
    return math.sqrt(max(0.0, sums.gap_square_days / repeats - mean * mean)) / mean
