"""Maximum-likelihood fit of the Gamma-Gamma model of the money per purchase.

Fader and Hardie (2013), The gamma-gamma model of monetary value, note 025, eq. 1a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, psi

from stream.core.model.record import Spend
from stream.fit.arrays import Numbers

LOG_BOUNDS = [(-4.0, 8.0), (0.02, 8.0), (-12.0, 16.0)]
"""Bounds of log p, log q, log v. q stays above 1: below, the mean spend of a new customer is infinite."""
SPENDERS_MIN = 30
"""With fewer repeat buyers than this nothing is fitted."""
PRIOR_P, PRIOR_Q = 6.25, 3.74
"""The shape fitted to CDNOW: taken where there are too few buyers, and as the start of the search."""
CORRELATION_MAX = 0.3
"""Correlation of spend and frequency above which the model's assumption of independence is doubtful."""
FREE_SHARE_MIN = 0.05
"""Share of repeat buyers who paid nothing from which on the model says so."""


@dataclass(frozen=True)
class SpendFit:
    """Fitted spend, its log-likelihood, the correlation of spend with frequency, and notes for the user."""

    spend: Spend
    log_likelihood: float
    correlation: float
    notes: tuple[str, ...] = ()


def fit_spend(x: Numbers, mean: Numbers, scale_minor: int = 100) -> SpendFit:
    """Fit to the repeat buyers' frequency and mean spend per purchase, both of shape (customers,).

    Spend is in units of `scale_minor`; customers without repeat purchases or spend are left out.
    """
    use, notes = (x > 0) & (mean > 0), _free_notes(x, mean)
    x, mean = x[use], mean[use]
    if len(x) < SPENDERS_MIN:
        level = float(mean.mean()) if len(mean) else 1.0
        note = (
            f"Only {len(x)} repeat buyers with a price ({SPENDERS_MIN} are needed): the spread of spend is "
            "that of another shop."
        )
        v = level * (PRIOR_Q - 1.0) / PRIOR_P
        spend = Spend(p=PRIOR_P, q=PRIOR_Q, v=v, scale_minor=scale_minor)
        return SpendFit(spend, math.nan, 0.0, (note, *notes))
    start = np.log([PRIOR_P, PRIOR_Q, float(mean.mean()) * (PRIOR_Q - 1.0) / PRIOR_P])
    options = {"maxiter": 1_000, "ftol": 1e-14, "gtol": 1e-8}
    found = minimize(
        _negative_log_likelihood,
        start,
        (x, mean),
        jac=True,
        method="L-BFGS-B",
        bounds=LOG_BOUNDS,
        options=options,
    )
    p, q, v = (float(value) for value in np.exp(found.x))
    varied = min(float(np.ptp(x)), float(np.ptp(mean))) > 0.0
    correlation = float(np.corrcoef(x, mean)[0, 1]) if varied else 0.0
    if abs(correlation) > CORRELATION_MAX:
        notes.append(
            f"Spend and frequency are correlated ({correlation:.2f}): values of the most frequent buyers are "
            "less certain than their intervals say."
        )
    return SpendFit(
        Spend(p=p, q=q, v=v, scale_minor=scale_minor), -float(found.fun), correlation, tuple(notes)
    )


def _free_notes(x: Numbers, mean: Numbers) -> list[str]:
    """That repeat buyers who paid nothing are left out, where they are not few; arrays as in `fit_spend`."""
    again = int((x > 0).sum())
    free = again - int(((x > 0) & (mean > 0)).sum())
    if free < FREE_SHARE_MIN * again or not free:
        return []
    return [
        f"{free:,} of {again:,} repeat buyers paid nothing for all that they bought again (free orders, or "
        "all of it went back): who has not bought again yet is expected to spend as much as the others do."
    ]


def _negative_log_likelihood(logs: Numbers, x: Numbers, mean: Numbers) -> tuple[float, Numbers]:
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
