"""Who stayed against who left, like with like: pooled odds over matched groups, and a false-discovery limit.

Mantel-Haenszel odds with the Robins-Breslow-Greenland interval (1986); many questions are asked at once, so
Benjamini and Hochberg (1995) decide which answers count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Flags = NDArray[np.bool_]
Groups = NDArray[np.int64]
Numbers = NDArray[np.float64]

SUPPORT_MIN = 20
"""Fewer customers than this with, or without, the behaviour answer nothing."""
CELL_MIN = 5
"""Fewer than this expected in a cell of the pooled table make the normal interval a guess."""
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True)
class Contrast:
    """One behaviour: how many showed it, how much more often they left, and how sure that is."""

    name: str
    exposed: int
    left_exposed: float
    """Share that left among those with the behaviour."""
    left_matched: float
    """Share that would have left had they been as their matched fellows without it."""
    odds_ratio: float
    low: float
    high: float
    p_value: float
    found: bool = False

    @property
    def lift(self) -> float:
        """How many times more often they left than matched fellows."""
        return self.left_exposed / self.left_matched if self.left_matched > 0.0 else math.inf


def contrast(name: str, exposed: Flags, left: Flags, groups: Groups) -> Contrast | None:
    """One behaviour against leaving; None where too few customers can be compared."""
    tables = [_table(exposed[groups == group], left[groups == group]) for group in np.unique(groups)]
    tables = [table for table in tables if min(table[0] + table[1], table[2] + table[3]) > 0]
    if not tables:
        return None
    a, b, c, d = (np.array(column, dtype=np.float64) for column in zip(*tables, strict=True))
    n = a + b + c + d
    with_it, without = a + b, c + d
    expected = with_it * (a + c) / n
    if (
        min(with_it.sum(), without.sum()) < SUPPORT_MIN
        or min(expected.sum(), (with_it - expected).sum()) < CELL_MIN
    ):
        return None
    variance = (with_it * without * (a + c) * (b + d) / (n**2 * np.maximum(n - 1.0, 1.0))).sum()
    if variance <= 0.0:
        return None
    odds, spread = _pooled_odds(a, b, c, d)
    z = max(0.0, abs((a - expected).sum()) - 0.5) / math.sqrt(variance)
    reach = float(norm.ppf(0.975)) * spread
    return Contrast(
        name=name,
        exposed=int(with_it.sum()),
        left_exposed=float(a.sum() / with_it.sum()),
        left_matched=float((with_it * c / without).sum() / with_it.sum()),
        odds_ratio=odds,
        low=odds * math.exp(-reach),
        high=odds * math.exp(reach),
        p_value=float(2.0 * norm.sf(z)),
    )


def discoveries(contrasts: Sequence[Contrast], limit: float = FALSE_DISCOVERIES) -> list[Contrast]:
    """All contrasts, most certain first, those marked found of which at most `limit` are false on average."""
    ordered = sorted(contrasts, key=lambda one: one.p_value)
    passed = [
        place for place, one in enumerate(ordered, 1) if one.p_value <= limit * place / max(1, len(ordered))
    ]
    last = max(passed, default=0)
    return [replace(one, found=place <= last) for place, one in enumerate(ordered, 1)]


def _table(exposed: Flags, left: Flags) -> tuple[int, int, int, int]:
    """Exposed who left and stayed, others who left and stayed."""
    return (
        int((exposed & left).sum()),
        int((exposed & ~left).sum()),
        int((~exposed & left).sum()),
        int((~exposed & ~left).sum()),
    )


def _pooled_odds(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> tuple[float, float]:
    """The odds ratio over all groups and the standard error of its logarithm; half a customer for none."""
    half = 0.5 if min(float((a * d).sum()), float((b * c).sum())) == 0.0 else 0.0
    a, b, c, d = a + half, b + half, c + half, d + half
    n = a + b + c + d
    r, s = a * d / n, b * c / n
    p, q = (a + d) / n, (b + c) / n
    total_r, total_s = float(r.sum()), float(s.sum())
    variance = (
        (p * r).sum() / (2.0 * total_r**2)
        + (p * s + q * r).sum() / (2.0 * total_r * total_s)
        + (q * s).sum() / (2.0 * total_s**2)
    )
    return total_r / total_s, math.sqrt(float(variance))
