"""Retention by the shifted-beta-geometric model, which explains why retention rates rise with a cohort's age.

Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import hyp2f1

from stream.core.model.record import Retention
from stream.fit.arrays import Numbers

TERMS_MAX = 100_000
"""Periods after which the sum of a lifetime is cut off."""
LOG_BOUND = 9.0
"""Bound of the logarithms of both parameters."""
LIKELY = 1.3528
"""Log-likelihood below the best one at which a value leaves the 90% profile interval: half of chi-squared."""
GRID, REFINEMENTS = 61, 5
"""Points of a grid along each parameter, and how often it is drawn closer around the likely ones."""
SHARE_MIN = 1e-12
"""A smaller discounted share of survivors adds nothing to the sum."""


@dataclass(frozen=True)
class RetentionFit:
    """The fitted distribution, beta(alpha, beta), of the probability to leave in a period."""

    retention: Retention
    log_likelihood: float


def fit_retention(survivors: Numbers) -> RetentionFit:
    """Fit to the number of survivors of one cohort after 0, 1, 2 ... periods, shape (periods + 1,)."""
    survivors = np.asarray(survivors, dtype=np.float64)
    if len(survivors) < 3 or survivors[0] <= 0 or np.any(np.diff(survivors) > 0):
        raise ValueError("retention needs a cohort's survivors over at least two periods, never rising")
    found = minimize(
        _negative_log_likelihood, np.zeros(2), (survivors,), method="L-BFGS-B",
        bounds=[(-LOG_BOUND, LOG_BOUND)] * 2, options={"ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    alpha, beta = (float(value) for value in np.exp(found.x))
    return RetentionFit(Retention(alpha=alpha, beta=beta), -float(found.fun))


def retention_rate(retention: Retention, period: int) -> float:
    """Of the survivors at its start, the share that stays through the period (1 is the first)."""
    return (retention.beta + period - 1.0) / (retention.alpha + retention.beta + period - 1.0)


def survival(retention: Retention, periods: int) -> Numbers:
    """The share of survivors after 0, 1, ... periods, shape (periods + 1,)."""
    rates = [retention_rate(retention, period) for period in range(1, periods + 1)]
    return np.concatenate([[1.0], np.cumprod(rates)])


def lifetime_periods(retention: Retention, discount: float) -> float:
    """Expected discounted number of periods: the sum of S(t) / (1 + d)^t from t = 0 on."""
    shares, share, period = 1.0, 1.0, 0
    while share > SHARE_MIN and period < TERMS_MAX:
        period += 1
        share *= retention_rate(retention, period) / (1.0 + discount)
        shares += share
    return shares


def lifetime_interval(survivors: Numbers, discount: float) -> tuple[float, float]:
    """90% profile-likelihood interval of `lifetime_periods`, from the survivors that `fit_retention` takes.

    From few periods the upper end is far away: the data do not tell a few who never leave from many who stay
    long. `discount` is per period and above 0; it bounds a lifetime by (1 + d) / d.
    """
    survivors = np.asarray(survivors, dtype=np.float64)
    found = fit_retention(survivors)
    best = np.log([found.retention.alpha, found.retention.beta])
    low = high = lifetime_periods(found.retention, discount)
    corners = np.array([[-LOG_BOUND, -LOG_BOUND], [LOG_BOUND, LOG_BOUND]])
    for _ in range(REFINEMENTS):
        axes = np.linspace(corners[0], corners[1], GRID)
        logs = np.stack(np.meshgrid(axes[:, 0], axes[:, 1], indexing="ij"), axis=-1).reshape(-1, 2)
        likely = logs[_log_likelihoods(logs, survivors) >= found.log_likelihood - LIKELY]
        if len(likely):
            alpha, beta = np.exp(likely).T
            lifetimes = hyp2f1(1.0, beta, alpha + beta, 1.0 / (1.0 + discount))
            lifetimes = lifetimes[np.isfinite(lifetimes)]
            low, high = min([low, *lifetimes]), max([high, *lifetimes])
        around, step = np.vstack([likely, best]), (corners[1] - corners[0]) / (GRID - 1)
        corners = np.clip([around.min(axis=0) - step, around.max(axis=0) + step], -LOG_BOUND, LOG_BOUND)
    return float(low), float(high)


def _log_likelihoods(logs: Numbers, survivors: Numbers) -> Numbers:
    """Of each pair of logarithms of alpha and beta, shape (pairs, 2)."""
    alpha, beta = np.exp(logs)[:, :1], np.exp(logs)[:, 1:]
    periods = np.arange(1, len(survivors))
    stays = np.log((beta + periods - 1.0) / (alpha + beta + periods - 1.0))
    leaves = np.log(alpha / (alpha + beta + periods - 1.0))
    alive = np.cumsum(stays, axis=1)
    before = np.hstack([np.zeros((len(logs), 1)), alive[:, :-1]])
    found: Numbers = (before + leaves) @ -np.diff(survivors) + survivors[-1] * alive[:, -1]
    return found


def simple_lifetime(rate: float) -> float:
    """The textbook formula 1 / (1 - retention), in periods; infinite when nobody left."""
    return 1.0 / (1.0 - rate) if rate < 1.0 else float("inf")


def _negative_log_likelihood(logs: Numbers, survivors: Numbers) -> float:
    alpha, beta = np.exp(logs)
    periods = np.arange(1, len(survivors))
    rates = (beta + periods - 1.0) / (alpha + beta + periods - 1.0)
    alive = np.cumsum(np.log(rates))
    lost = np.log1p(-rates) + np.concatenate([[0.0], alive[:-1]])
    return -float(-np.diff(survivors) @ lost + survivors[-1] * alive[-1])
