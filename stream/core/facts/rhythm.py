"""The customer's own rhythm: gaps between purchase days, as a reason in words, never as the score.

Ratios of the silence to the own mean gap predict a lapse poorly; they explain it well.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from msgspec import Struct

from stream.core.facts.purchases import Buying, Sums, purchase_days
from stream.core.units import DAY_MS

RECENT_GAPS = 4


class Rhythm(Struct, frozen=True):
    """Gaps in days among the kept purchase days; `recent_gap` is the median of the latest four."""

    gaps: int
    usual_gap_days: float
    mean_gap_days: float
    recent_gap_days: float


def rhythm(buying: Buying) -> Rhythm | None:
    """The rhythm of a customer who bought on at least two days; None otherwise."""
    days = purchase_days(buying)
    if len(days) < 2:
        return None
    gaps = [later - earlier for earlier, later in pairwise(days)]
    return Rhythm(len(gaps), median(gaps), sum(gaps) / len(gaps), median(gaps[-RECENT_GAPS:]))


def quickening(buying: Buying) -> float:
    """How much more often than over the kept history they buy lately: 0.25 is a quarter more, 0 not more."""
    own = rhythm(buying)
    if own is None or own.gaps < 2 * RECENT_GAPS or own.recent_gap_days <= 0:
        return 0.0
    return max(0.0, own.mean_gap_days / own.recent_gap_days - 1.0)


def regularity(sums: Sums) -> float:
    """Standard deviation of the gaps between purchase days over their mean: 0 is a clock, or unknown."""
    repeats = sums.days - 1
    span_days = sums.last_at_ms // DAY_MS - sums.first_at_ms // DAY_MS
    if repeats < 2 or not span_days:
        return 0.0
    mean = span_days / repeats
    return math.sqrt(max(0.0, sums.gap_square_days / repeats - mean * mean)) / mean
