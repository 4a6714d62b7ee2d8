"""Value tier by recent spend, and stage of the relationship; a tier has slack, so that customers do not
flap."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

from stream.core.facts.decay import VALUE_HALF_LIFE_MS
from stream.core.facts.profile import Stage
from stream.core.model.record import Model
from stream.core.policy.policy import Ladder, Stages

WIDER_MAX = 2.0
"""A tier that would hold more than this many times its share, all spending the same, begins above them."""
ABOVE_ALL = 2.0
"""Where nobody spends more than those, it begins at this many times what they spend."""
SPEND_MAX_MINOR = 1.5e308
"""No tier begins at more: twice the largest number would be infinite."""


def cutoffs_minor(ladder: Ladder, model: Model) -> tuple[float, ...]:
    """The decayed spend from which each tier begins, by the population's percentiles; the lowest begins at
    0."""
    quantiles = model.population.value_quantiles
    return (0.0, *(max(1.0, _cutoff(quantiles, round(step.quantile * 100))) for step in ladder.steps[1:]))


def _cutoff(quantiles: tuple[float, ...], place: int) -> float:
    """The percentile of this number, or the next higher value where it is that of far more customers.

    Where all pay the same on the same day they would all be the best twentieth otherwise.
    """
    value, last = quantiles[place], len(quantiles) - 1
    if last - bisect_left(quantiles, value) <= WIDER_MAX * (last - place):
        return value
    above = bisect_right(quantiles, value)
    return quantiles[above] if above <= last else min(ABOVE_ALL * value, SPEND_MAX_MINOR)


def tier_of(value_minor: float, held: int, cutoffs: tuple[float, ...], slack: float) -> int:
    """Rank on the ladder, 0 lowest. It rises as soon as a cut-off is reached, and falls only below cut-off
    less slack.

    `held`: the rank so far.
    """
    rank = len(cutoffs) - 1
    while rank > 0 and value_minor < cutoffs[rank] * (1.0 if rank > held else 1.0 - slack):
        rank -= 1
    return rank


def tier_lost_ms(
    value_minor: float, held: int, cutoffs: tuple[float, ...], slack: float, as_of_ms: int
) -> int | None:
    """The instant at which the held tier is lost if nothing is bought; None for the lowest."""
    if held == 0:
        return None
    return falls_to_ms(value_minor, cutoffs[held] * (1.0 - slack), as_of_ms)


def falls_to_ms(value_minor: float, level_minor: float, as_of_ms: int) -> int | None:
    """The first millisecond at which a value that decays with its half-life of 180 days is below a level.

    None for a level of 0 or less, which no value falls below.
    """
    if level_minor <= 0.0:
        return None
    if value_minor < level_minor:
        return as_of_ms
    return as_of_ms + math.ceil(VALUE_HALF_LIFE_MS * math.log2(value_minor / level_minor)) + 1


def stage_of(stages: Stages, purchase_days: int, tenure_ms: int, lapsed: bool) -> Stage:
    """The stage of the relationship."""
    if purchase_days == 0:
        return "prospect"
    if lapsed:
        return "lapsed"
    if purchase_days >= stages.loyal_purchase_days and tenure_ms >= stages.loyal_tenure_ms:
        return "loyal"
    return "established" if purchase_days >= stages.established_purchase_days else "new"
