"""Gamma-Gamma by maximum likelihood: what one purchase of a customer will bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, psi

from stream.core.model.record import Spend
from stream.fit.arrays import Numbers

BOUNDS = [(-4.0, 8.0), (0.02, 8.0), (-12.0, 16.0)]
"""Of the logs of p, q and v; q stays above 1, or a new customer's mean spend would be infinite."""
BUYERS_MIN = 30
PRIOR_P, PRIOR_Q = 6.25, 3.74
CORRELATION_MAX = 0.3


@dataclass(frozen=True)
class SpendFit:
    """Fitted spend, its log-likelihood, how far money depends on frequency, and what to know about it."""

    spend: Spend
    log_likelihood: float
    correlation: float
    notes: tuple[str, ...] = ()


def fit_spend(x: Numbers, mean: Numbers, scale_minor: int = 100) -> SpendFit:
    """From the repeat buyers' mean spend per purchase, in units of `scale_minor`; zero means are left out."""
    use = (x > 0) & (mean > 0)
    x, mean = x[use], mean[use]
    if len(x) < BUYERS_MIN:
        level = float(mean.mean()) if len(mean) else 1.0
        note = (
            f"Only {len(x)} repeat buyers with a price (of {BUYERS_MIN} wanted): spend keeps a general shape."
        )
        v = level * (PRIOR_Q - 1.0) / PRIOR_P
        return SpendFit(Spend(p=PRIOR_P, q=PRIOR_Q, v=v, scale_minor=scale_minor), math.nan, 0.0, (note,))
    start = np.log([PRIOR_P, PRIOR_Q, float(mean.mean()) * (PRIOR_Q - 1.0) / PRIOR_P])
    options = {"maxiter": 1_000, "ftol": 1e-14, "gtol": 1e-8}
    found = minimize(_negative, start, (x, mean), jac=True, method="L-BFGS-B", bounds=BOUNDS, options=options)
    p, q, v = (float(value) for value in np.exp(found.x))
    varied = min(float(np.ptp(x)), float(np.ptp(mean))) > 0.0
    correlation = float(np.corrcoef(x, mean)[0, 1]) if varied else 0.0
    notes = []
    if abs(correlation) > CORRELATION_MAX:
        notes.append(
            f"Spend and frequency go together (correlation {correlation:.2f}): values of the most frequent "
            "buyers are less certain than their intervals say."
        )
    return SpendFit(
        Spend(p=p, q=q, v=v, scale_minor=scale_minor), -float(found.fun), correlation, tuple(notes)
    )


def _negative(logs: Numbers, x: Numbers, mean: Numbers) -> tuple[float, Numbers]:
    p, q, v = np.exp(logs)
    px, money = p * x, np.log(x * mean + v)
    each = (
        gammaln(px + q) - gammaln(px) - gammaln(q) + q * logs[2] + (px - 1.0) * np.log(mean)
        + px * np.log(x) - (px + q) * money
    )  # fmt: skip
    by_p = x * (psi(px + q) - psi(px) + np.log(mean) + np.log(x) - money)
    by_q = psi(px + q) - psi(q) + logs[2] - money
    by_v = q / v - (px + q) / (x * mean + v)
    return -float(each.sum()), -np.array([by_p.sum() * p, by_q.sum() * q, by_v.sum() * v])
