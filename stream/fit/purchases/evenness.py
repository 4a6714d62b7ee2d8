"""How even the gaps of a shop's customers are: the distribution of the shape of their gaps, most likely.

Of a customer with n gaps the sum of squared relative deviations, halved, is about gamma distributed with
shape (n - 1) / 2 and rate k, and k itself is gamma distributed over customers (core/model/evenness.py). So
the sum has a closed-form density over all customers (beta prime), and two numbers are fitted to it.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, psi

from stream.core.model.evenness import squared_deviations
from stream.core.model.record import Evenness
from stream.fit.arrays import Numbers

CUSTOMERS_MIN = 50
"""With fewer customers of two gaps or more nothing is learnt: a shape needs many."""
LOG_BOUND = 7.0
"""Bound of the logarithms of both numbers."""
GAPS_MAX = 200
"""A customer of more gaps counts as one of so many; by then their shape is known."""
STEPS = 20.0
"""Sums whose logarithms are within 1 / 20 are counted together, so that a million customers are few cells."""


def fit_evenness(frequency: Numbers, variation: Numbers, mean_days: Numbers) -> Evenness | None:
    """The evenness of customers; None where too few have two gaps or more.

    All of shape (customers,): gaps, their coefficient of variation, and their mean in days.
    """
    known = frequency >= 2
    if known.sum() < CUSTOMERS_MIN:
        return None
    gaps = np.minimum(frequency[known], GAPS_MAX)
    means, spreads = mean_days[known], variation[known]
    halves = 0.5 * np.array(
        [squared_deviations(n, cv, mean) for n, cv, mean in zip(gaps, spreads, means, strict=True)]
    )
    rows = np.column_stack([gaps, np.round(np.log(halves) * STEPS)])
    cells, customers = np.unique(rows, axis=0, return_counts=True)
    freedom, sums = (cells[:, 0] - 1.0) / 2.0, np.exp(cells[:, 1] / STEPS)

    def objective(logs: Numbers) -> tuple[float, Numbers]:
        """Minus the mean log-likelihood and its gradient with respect to the logs of shape and rate."""
        shape, rate = np.exp(logs)
        total, spread = freedom + shape, np.log(rate + sums)
        each = shape * logs[1] - total * spread - betaln(freedom, shape)
        by_shape = (logs[1] - spread - psi(shape) + psi(total)) * shape
        by_rate = shape - total * rate / (rate + sums)
        share = customers / customers.sum()
        return -float(share @ each), -np.array([share @ by_shape, share @ by_rate])

    bounds = [(-LOG_BOUND, LOG_BOUND)] * 2
    found = minimize(objective, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds)
    shape, rate = (float(f"{value:.6g}") for value in np.exp(found.x))
    return Evenness(shape=shape, rate=rate)
