"""Exact inference for a common odds ratio over matched groups: Fisher's exact test, stratified.

Given the margins of each group, the number of exposed customers who left is a sum of hypergeometric counts.
Under a common odds ratio psi, each probability of the null distribution is multiplied by psi to the power of
the count (Gart 1970, Biometrika 57(3)). So few customers suffice where the effect is large, and groups may be
of any size. Intervals use the mid-p-value, which counts half of the probability of the observed outcome
(Agresti 2001, Stat. in Med. 20).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from stream.fit.arrays import Counts, Numbers

LOG_RATIO_MAX = 7.0
"""Bound of log odds ratios, a ratio of about 1,100: beyond it the data cannot tell one ratio from another."""
TAIL = 0.025
"""Probability outside the interval, on each side."""
BISECTIONS = 40
"""Halvings of the search interval: log odds ratios are exact to 1e-11."""


class ContingencyTables(NamedTuple):
    """One 2x2 table per group, as counts of customers (or occasions); all arrays have shape (groups,)."""

    hits: Counts
    """Exposed customers who left."""
    exposed: Counts
    left: Counts
    """All customers who left."""
    total: Counts


class ExactOddsRatio(NamedTuple):
    """The conditional estimate of the odds ratio, its 95% interval, and the two-sided p-value (not mid-p)."""

    odds_ratio: float
    low: float
    high: float
    p_value: float
    smallest_p: float
    """The smallest p-value that any outcome with these margins could have had."""


def exact_odds_ratio(tables: ContingencyTables) -> ExactOddsRatio | None:
    """The common odds ratio of the tables; None where the margins allow only one outcome."""
    low = int(np.maximum(0, tables.exposed + tables.left - tables.total).sum())
    high = int(np.minimum(tables.exposed, tables.left).sum())
    if high <= low:
        return None
    seen = int(tables.hits.sum()) - low
    null = _masses(tables, 0.0)
    tilt = _rough_log_odds(tables)
    with np.errstate(divide="ignore"):
        near = np.log(_masses(tables, tilt))
    counts = np.arange(len(near))

    def at(log_odds: float) -> Numbers:
        logs = near + (log_odds - tilt) * counts
        masses: Numbers = np.exp(logs - logs.max())
        masses /= masses.sum()
        return masses

    estimate = _solved(lambda log_odds: float(at(log_odds) @ counts) - seen)
    above = _solved(lambda log_odds: _above(at(log_odds), seen) - TAIL)
    below = _solved(lambda log_odds: TAIL - _above(at(log_odds)[::-1], len(near) - 1 - seen))
    return ExactOddsRatio(
        math.exp(estimate),
        math.exp(above) if seen > 0 else math.exp(-LOG_RATIO_MAX),
        math.exp(below) if seen < len(near) - 1 else math.exp(LOG_RATIO_MAX),
        min(1.0, 2.0 * float(min(null[seen:].sum(), null[: seen + 1].sum()))),
        min(1.0, 2.0 * float(min(null[0], null[-1]))),
    )


def _masses(tables: ContingencyTables, log_odds: float) -> Numbers:
    """Probability of each possible sum of hits, from the smallest on, shape (possible sums,)."""
    total = np.ones(1)
    cells, repeats = np.unique(np.column_stack(tables[1:]), axis=0, return_counts=True)
    for (exposed, left, everybody), repeat in zip(cells.tolist(), repeats.tolist(), strict=True):
        one = _hypergeometric(exposed, left, everybody, log_odds)
        for _ in range(repeat if len(one) > 1 else 0):
            total = np.convolve(total, one)
    return total


def _hypergeometric(exposed: int, left: int, total: int, log_odds: float) -> Numbers:
    """Fisher's noncentral hypergeometric probabilities of one group's possible hits."""
    hits = np.arange(max(0, exposed + left - total), min(exposed, left) + 1)
    others = total - exposed
    logs = (
        hits * log_odds
        - gammaln(hits + 1) - gammaln(exposed - hits + 1)
        - gammaln(left - hits + 1) - gammaln(others - left + hits + 1)
    )  # fmt: skip
    masses: Numbers = np.exp(logs - logs.max())
    masses /= masses.sum()
    return masses


def _rough_log_odds(tables: ContingencyTables) -> float:
    """The Mantel-Haenszel estimate with 0.5 added to both sums: good enough as a centre."""
    a, with_it, left, n = (np.asarray(column, dtype=np.float64) for column in tables)
    b, c = with_it - a, left - a
    d = n - with_it - c
    odds = (float((a * d / n).sum()) + 0.5) / (float((b * c / n).sum()) + 0.5)
    return float(np.clip(math.log(odds), -LOG_RATIO_MAX, LOG_RATIO_MAX))


def _above(masses: Numbers, seen: int) -> float:
    """Mid-p: the probability of more hits than seen, and half of that of as many."""
    return float(masses[seen + 1 :].sum() + 0.5 * masses[seen])


def _solved(rising: Callable[[float], float]) -> float:
    """The zero of a rising function, by bisection within the bounds of log odds ratios."""
    low, high = -LOG_RATIO_MAX, LOG_RATIO_MAX
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if rising(middle) < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
