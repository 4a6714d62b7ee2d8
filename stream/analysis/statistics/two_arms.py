"""Two arms of an experiment compared: differences of shares and of means, with what may be said of them.

Whoever looks at a running experiment every day, and stops when it looks good, is wrong far more often than an
interval for a single look allows. So each difference has two intervals: one that holds for one look at a
moment that was fixed before, and a wider one that holds at all looks together, an asymptotic confidence
sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476). Verdicts go by the
wider one.

Shares are compared by the interval of Newcombe (1998, Stat. in Med. 17, method 10), means by Welch's (1947,
Biometrika 34). Money varies less when what was known before is taken out of it: CUPED (Deng, Xu, Kohavi and
Walker 2013, WSDM).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from stream.fit.arrays import Flags, Numbers

LEVEL = 0.05
"""Probability that an interval misses the truth."""
POWER = 0.8
"""Probability with which the smallest visible effect is seen."""
TIGHTEST_AT = 1_000
"""Customers in both arms for whom intervals that hold at all looks are the tightest, fixed before any data:
1.55 times as wide as those for one look. They are valid for any number."""
ARM_MIN = 10
"""With fewer customers than this in one of the arms nothing is said of a difference."""


class Difference(Struct, frozen=True):
    """Treated minus held out, with an interval that holds however often somebody looks."""

    value: float
    low: float
    high: float
    once_low: float
    """The interval for one look alone."""
    once_high: float
    p_value: float
    """The smallest level at which the interval for all looks leaves out 0."""


def share_difference(hits: int, of: int, hits_held: int, of_held: int) -> Difference | None:
    """The difference of two shares: `hits` of `of` treated, `hits_held` of `of_held` held out.

    None: an arm is too small.
    """
    if min(of, of_held) < ARM_MIN:
        return None
    value = hits / of - hits_held / of_held
    # One more hit and miss in each arm: an arm in which nobody buys is not certain that nobody would.
    shares = ((hits + 1) / (of + 2), (hits_held + 1) / (of_held + 2))
    variance = sum(p * (1 - p) / n for p, n in zip(shares, (of, of_held), strict=True))
    low, high = newcombe(hits, of, hits_held, of_held)
    half = _half_of_all_looks(variance, of + of_held)
    return Difference(
        value, max(-1.0, min(low, value - half)), min(1.0, max(high, value + half)), low, high,
        _p_of_all_looks(value, variance, of + of_held),
    )  # fmt: skip


def mean_difference(treated: Numbers, held: Numbers) -> Difference | None:
    """The difference of two means; arrays of shape (customers,).

    None: an arm is too small, or does not vary.
    """
    from scipy.stats import t

    n, n_held = len(treated), len(held)
    if min(n, n_held) < ARM_MIN:
        return None
    parts = float(treated.var(ddof=1)) / n, float(held.var(ddof=1)) / n_held
    variance = sum(parts)
    if min(parts) <= 0.0:
        return None
    freedom = variance**2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (n_held - 1))
    value = float(treated.mean() - held.mean())
    once = float(t.ppf(1 - LEVEL / 2, freedom)) * math.sqrt(variance)
    half = max(once, _half_of_all_looks(variance, n + n_held))
    p_value = _p_of_all_looks(value, variance, n + n_held)
    return Difference(value, value - half, value + half, value - once, value + once, p_value)


def newcombe(hits: int, of: int, hits_held: int, of_held: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a difference of two shares for one look, made of Wilson's intervals of each."""
    from scipy.stats import norm

    z = float(norm.ppf(1 - level / 2))
    p, q = hits / of, hits_held / of_held
    (low, high), (low_held, high_held) = _wilson(p, of, z), _wilson(q, of_held, z)
    return (
        max(-1.0, p - q - math.hypot(p - low, high_held - q)),
        min(1.0, p - q + math.hypot(high - p, q - low_held)),
    )


def _wilson(p: float, n: int, z: float) -> tuple[float, float]:
    centre, shrink = p + z * z / (2 * n), 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / shrink), min(1.0, (centre + half) / shrink)


def _half_of_all_looks(variance: float, customers: int) -> float:
    """Half the width of the confidence sequence; `variance` is that of the difference."""
    grown = customers * _tuning() + 1
    return math.sqrt(variance * 2 * grown / (grown - 1) * math.log(math.sqrt(grown) / LEVEL))


def _p_of_all_looks(value: float, variance: float, customers: int) -> float:
    """The level at which the confidence sequence just touches 0."""
    grown = customers * _tuning() + 1
    exponent = -value * value / (2 * variance) * (grown - 1) / grown
    return min(1.0, math.sqrt(grown) * math.exp(exponent))


def _tuning() -> float:
    """The square of the sequence's parameter: the tightest at TIGHTEST_AT customers."""
    doubled = -2 * math.log(LEVEL)
    return (doubled + math.log(doubled + 1)) / TIGHTEST_AT


def sample_ratio_p(held: int, customers: int, share: float) -> float:
    """How probable arms of sizes as far from the share, or farther, are by chance: an exact binomial test."""
    from scipy.stats import binomtest

    return float(binomtest(held, customers, share).pvalue) if customers else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several comparisons, adjusted so that one false discovery among all is rare (Holm 1979)."""
    adjusted, least = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def smallest_visible_share(share: float, treated: int, held: int) -> float:
    """The smallest difference of shares that one look sees with 80% probability: 2.80 standard errors."""
    return _seen_factor() * math.sqrt(share * (1 - share) * (1 / treated + 1 / held))


def smallest_visible_mean(deviation: float, treated: int, held: int) -> float:
    """The same of means of what has this standard deviation."""
    return _seen_factor() * deviation * math.sqrt(1 / treated + 1 / held)


def _seen_factor() -> float:
    from scipy.stats import norm

    return float(norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER))


def winsorised(values: Numbers, quantile: float) -> Numbers:
    """Values above a quantile count as that quantile: one enormous order does not decide."""
    return np.minimum(values, np.quantile(values, quantile)) if len(values) else values


def without_the_known(outcome: Numbers, known: Numbers, treated: Flags) -> Numbers:
    """CUPED: the outcome less what `known`, of shape (customers, variables), from before predicts of it.

    The mean stays as it is, and so does the expected difference of the arms; `treated` is True or False for
    each customer. The coefficients are those within the arms, so that an effect is no part of them.
    """
    centred, rest = known - known.mean(axis=0), outcome.astype(np.float64)
    within, residual = centred.copy(), rest.copy()
    for arm in (treated, ~treated):
        if arm.any():
            within[arm] -= within[arm].mean(axis=0)
            residual[arm] -= residual[arm].mean()
    scale = within.std(axis=0)
    useful = scale > 1e-12 * (1.0 + np.abs(known).max(axis=0, initial=0.0))
    if not useful.any():
        return rest
    theta, *_ = np.linalg.lstsq(within[:, useful] / scale[useful], residual, rcond=None)
    adjusted: Numbers = rest - centred[:, useful] / scale[useful] @ theta
    return adjusted
