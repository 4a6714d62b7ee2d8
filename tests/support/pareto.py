"""An oracle for the tests: Pareto/NBD (Schmittlein, Morrison & Colombo 1987), without overflow.

Purchase rates are gamma(r, alpha), leaving rates gamma(s, beta) among customers; a customer may leave at any
time. The published closed forms need a case split and lose digits near s = 1; these integrals have positive
integrands throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from stream.core.value.quadrature import half_line_nodes, unit_nodes
from stream.fit.arrays import Numbers
from stream.fit.cases import Case
from stream.fit.purchases.histogram import Histogram

STEEP = 40.0
"""exp(-40) is below the precision of a double: a steeper integrand is integrated over the whole half-line."""
FINE = 0.05
"""Step of the quadrature; a smaller one changes no digit of the reference cases."""


@dataclass(frozen=True)
class Pareto:
    """Parameters, per model unit."""

    r: float
    alpha: float
    s: float
    beta: float


def log_p_alive(pareto: Pareto, x: float, t_x: float, T: float) -> float:
    """Log of the probability of not having left."""
    rate, last = pareto.r + x, pareto.alpha + t_x
    stretch = math.log1p((T - t_x) / last)
    if stretch <= 0.0:
        return 0.0

    # u = log((alpha + y) / (alpha + t_x)) for y from t_x to T; the factor exp(-rate u) is in `decaying`
    def integrand(u: float) -> float:
        y = t_x + last * math.expm1(u)
        later = pareto.beta + y
        return float(pareto.s * last * math.exp(u) / later * ((pareto.beta + T) / later) ** pareto.s)

    dead = math.log(decaying(integrand, rate, stretch)) + rate * stretch
    return -math.log1p(math.exp(dead)) if dead < STEEP else -dead - math.exp(-dead)


def p_active(pareto: Pareto, x: float, t_x: float, T: float, horizon: float) -> float:
    """The probability of a purchase within the horizon."""
    rate, age, stays = pareto.r + x, pareto.alpha + T, pareto.beta + T

    # u = log(1 + delay / age) of the first purchase; the factor exp(-rate u) is in `decaying`
    def integrand(u: float) -> float:
        return float(rate * (1.0 + age * math.expm1(u) / stays) ** -pareto.s)

    within = decaying(integrand, rate, math.log1p(horizon / age))
    return math.exp(log_p_alive(pareto, x, t_x, T) + math.log(within))


def purchases_if_alive(pareto: Pareto, x: float, T: float, horizon: float) -> float:
    """Expected purchases within the horizon of a customer who has not left; continuous at s = 1."""
    stays = pareto.beta + T
    stretch = math.log1p(horizon / stays)
    bend = (pareto.s - 1.0) * stretch
    shrink = -math.expm1(-bend) / bend if abs(bend) > 1e-12 else 1.0 - bend / 2.0
    return (pareto.r + x) / (pareto.alpha + T) * stays * stretch * shrink


def discounted_if_alive(
    pareto: Pareto, x: float, T: float, discount: float, horizon: float | None = None
) -> float:
    """Expected discounted purchases within the horizon (None: ever) of a customer who has not left."""
    stays = pareto.beta + T
    rate = (pareto.r + x) / (pareto.alpha + T)
    if horizon is not None and discount <= 0.0:
        return purchases_if_alive(pareto, x, T, horizon)
    reach = math.inf if horizon is None else horizon
    return rate * decaying(lambda delay: (1.0 + delay / stays) ** -pareto.s, discount, reach)


def decaying(f: Callable[[float], float], rate: float, end: float) -> float:
    """The integral of exp(-rate u) f(u) over (0, end) for a smooth f; the end may be infinite."""
    if rate * end > STEEP:
        nodes = half_line_nodes(FINE)
        return sum(w * math.exp(-v) * f(v / rate) for v, w in nodes if v < rate * end) / rate
    return end * sum(w * math.exp(-rate * end * s) * f(end * s) for s, w in unit_nodes(FINE))


def pareto_case(pareto: Pareto, x: int, t_x: float, T: float) -> Case:
    """One customer's quantities, in the form that the reference cases are compared in."""
    log_alive = log_p_alive(pareto, x, t_x, T)

    def if_alive(amount: float) -> float:
        return math.exp(log_alive + math.log(amount)) if amount > 0.0 else 0.0

    return Case(
        p_alive=lambda: math.exp(log_alive),
        p_active=lambda horizon: p_active(pareto, x, t_x, T, horizon),
        purchases=lambda horizon: if_alive(purchases_if_alive(pareto, x, T, horizon)),
        discounted=lambda discount, horizon: if_alive(discounted_if_alive(pareto, x, T, discount, horizon)),
    )


def fit_pareto(cells: Histogram) -> tuple[Pareto, float]:
    """The most likely parameters and their log-likelihood; about twenty times the cost of BG/NBD."""
    start = np.log([0.5, 10.0, 0.5, 10.0])
    found = minimize(
        lambda logs: -log_likelihood(Pareto(*np.exp(logs)), cells), start, method="L-BFGS-B",
        bounds=[(-7.0, 9.0)] * 4, options={"ftol": 1e-12},
    )  # fmt: skip
    return Pareto(*(float(value) for value in np.exp(found.x))), -float(found.fun)


def log_likelihood(pareto: Pareto, cells: Histogram) -> float:
    """By 64 Gauss-Legendre nodes over the time of leaving, in logs."""
    r, alpha, s, beta = pareto.r, pareto.alpha, pareto.s, pareto.beta
    x, t_x, T = cells.x, cells.t_x, cells.T
    nodes, weights = np.polynomial.legendre.leggauss(64)
    low, high = np.log(alpha + t_x), np.log(alpha + T)
    logs = low + (high - low) * (nodes[:, None] + 1.0) / 2.0
    y = np.exp(logs) - alpha
    with np.errstate(divide="ignore"):
        left = (
            np.log(weights / 2.0)[:, None] + np.log(high - low) + math.log(s) + logs
            - (r + x) * logs - (s + 1.0) * np.log(np.maximum(beta + y, 1e-300))
        )  # fmt: skip
    stayed = -(r + x) * high - s * np.log(beta + T)
    each: Numbers = np.logaddexp(stayed, np.logaddexp.reduce(left, axis=0))
    each = each + gammaln(r + x) - gammaln(r) + r * math.log(alpha) + s * math.log(beta)
    return float(cells.customers @ each)
