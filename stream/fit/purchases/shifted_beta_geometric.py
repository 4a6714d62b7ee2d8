"""Shifted-beta-geometric retention (Fader & Hardie 2007): why yearly retention rises, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from stream.core.model.record import Retention
from stream.fit.arrays import Numbers

TERMS_MAX = 100_000


@dataclass(frozen=True)
class RetentionFit:
    """The chance to leave in a period is beta(alpha, beta) among customers."""

    retention: Retention
    log_likelihood: float


def fit_retention(survivors: Numbers) -> RetentionFit:
    """From how many of one cohort were still there after 0, 1, 2... periods."""
    survivors = np.asarray(survivors, dtype=np.float64)
    if len(survivors) < 3 or survivors[0] <= 0 or np.any(np.diff(survivors) > 0):
        raise ValueError("retention needs a cohort's survivors over at least two periods, never rising")
    found = minimize(_negative, np.zeros(2), (survivors,), method="L-BFGS-B", bounds=[(-9.0, 9.0)] * 2,
                     options={"ftol": 1e-14, "gtol": 1e-9})  # fmt: skip
    alpha, beta = (float(value) for value in np.exp(found.x))
    return RetentionFit(Retention(alpha=alpha, beta=beta), -float(found.fun))


def retention_rate(retention: Retention, period: int) -> float:
    """Of those still there at its start, the share that stays through the period (1 is the first)."""
    return (retention.beta + period - 1.0) / (retention.alpha + retention.beta + period - 1.0)


def survival(retention: Retention, periods: int) -> Numbers:
    """The share still there after 0, 1, ... periods."""
    rates = [retention_rate(retention, period) for period in range(1, periods + 1)]
    return np.concatenate([[1.0], np.cumprod(rates)])


def lifetime_periods(retention: Retention, discount: float) -> float:
    """Expected discounted number of periods, the first counted whole: the sum of S(t) / (1 + d)^t."""
    shares, share, period = 1.0, 1.0, 0
    while share > 1e-12 and period < TERMS_MAX:
        period += 1
        share *= retention_rate(retention, period) / (1.0 + discount)
        shares += share
    return shares


def simple_lifetime(rate: float) -> float:
    """1 / (1 - retention): the school formula; infinite when nobody left."""
    return 1.0 / (1.0 - rate) if rate < 1.0 else float("inf")


def _negative(logs: Numbers, survivors: Numbers) -> float:
    alpha, beta = np.exp(logs)
    periods = np.arange(1, len(survivors))
    rates = (beta + periods - 1.0) / (alpha + beta + periods - 1.0)
    alive = np.cumsum(np.log(rates))
    lost = np.log1p(-rates) + np.concatenate([[0.0], alive[:-1]])
    return -float(-np.diff(survivors) @ lost + survivors[-1] * alive[-1])
