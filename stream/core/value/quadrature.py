"""Integrals as short weighted sums: nodes and weights in plain floats, without a library.

All three rules are trapezoid sums after a double-exponential change of variable (Takahasi & Mori 1974), which
converge exponentially and do not mind singular ends.
"""

from __future__ import annotations

import math
from functools import lru_cache

Nodes = tuple[tuple[float, float], ...]

DEPTH = 45.0
"""Tails below exp(-45) of the peak are left out."""


def beta_nodes(a: float, b: float, fineness: float = 1.0) -> Nodes:
    """Nodes p and weights of the mean over a beta(a, b) variable. Weights sum to 1: no beta function is
    needed."""
    centre = math.log(a / b)
    width = math.sqrt(1.0 / a + 1.0 / b)  # of the log-odds of p, around its mode
    peak = _log_density(centre, a, b)
    step = min(0.06, 0.28 / width) / fineness
    terms = []
    for direction in (-1, 1):
        place = 0 if direction == 1 else 1
        while True:
            s = direction * place * step
            log_odds = centre + width * math.sinh(s)
            fall = _log_density(log_odds, a, b) - peak + math.log(math.cosh(s))
            if fall < -DEPTH:
                break
            terms.append((_odds_to_p(log_odds), math.exp(fall)))
            place += 1
    total = math.fsum(weight for _, weight in terms)
    return tuple((p, weight / total) for p, weight in terms)


@lru_cache(maxsize=4)
def half_line_nodes(step: float = 0.11) -> Nodes:
    """Nodes and weights of the integral of f over (0, infinity), for f that falls like exp(-s)."""
    return tuple(_half_line(step))


@lru_cache(maxsize=4)
def unit_nodes(step: float = 0.12) -> Nodes:
    """Nodes and weights of the integral of f over (0, 1)."""
    nodes = []
    for place in range(-round(3.4 / step), round(3.4 / step) + 1):
        t = place * step
        q = math.exp(-math.pi * math.sinh(t))
        nodes.append((1.0 / (1.0 + q), step * math.pi * math.cosh(t) * q / (1.0 + q) ** 2))
    return tuple(nodes)


def _half_line(step: float) -> list[tuple[float, float]]:
    nodes = []
    for place in range(-round(5.2 / step), round(4.0 / step) + 1):
        t = place * step
        s = math.exp(t - math.exp(-t))  # for integrands that carry a factor exp(-s)
        if s > DEPTH:
            break
        nodes.append((s, step * s * (1.0 + math.exp(-t))))
    return [node for node in nodes if node[1] > 1e-30]


def _log_density(log_odds: float, a: float, b: float) -> float:
    """Log density of the log-odds of a beta(a, b) variable, up to a constant."""
    if log_odds > 0.0:
        return -b * log_odds - (a + b) * math.log1p(math.exp(-log_odds))
    return a * log_odds - (a + b) * math.log1p(math.exp(log_odds))


def _odds_to_p(log_odds: float) -> float:
    if log_odds > 0.0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(max(log_odds, -690.0))  # below, every integrand has long reached its limit at p = 0
    return odds / (1.0 + odds)
