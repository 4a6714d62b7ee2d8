"""Who stayed against who left, like with like: pooled odds over matched groups, and a false-discovery limit.

Odds, interval and p-value are exact (exact.py); many questions are asked at once, so Benjamini and
Hochberg (1995) decide which answers count. What no outcome could have shown is not asked (Tarone 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream.analysis.statistics.exact import Tables, exact
from stream.fit.arrays import Counts, Flags

SUPPORT_MIN = 5
"""Fewer customers than this with, or without, the behaviour answer nothing."""
SHOWN_AT_BEST = 0.01
"""A question whose answer could not have been surer than this is not asked."""
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True)
class Contrast:
    """One behaviour: how many showed it, how much more often they left, and how sure that is."""

    name: str
    exposed: int
    """Customers."""
    occasions: int
    """How often they were looked at: once each, or at every time that it happened."""
    left_exposed: float
    """Share of the occasions after which they left."""
    left_matched: float
    """Share that left among matched fellows without it."""
    odds_ratio: float
    low: float
    high: float
    p_value: float
    found: bool = False

    @property
    def lift(self) -> float | None:
        """How many times more often they left than matched fellows; None where of those nobody did."""
        return self.left_exposed / self.left_matched if self.left_matched > 0.0 else None


def contrast(name: str, exposed: Flags, left: Flags, groups: Counts) -> Contrast | None:
    """One behaviour against leaving; None where too few customers can be compared."""
    _, places = np.unique(groups, return_inverse=True)
    count = int(places.max(initial=-1)) + 1

    def each(flags: Flags) -> Counts:
        return np.bincount(places[flags], minlength=count).astype(np.int64)

    everybody = np.ones(len(exposed), dtype=bool)
    return pooled(name, Tables(each(exposed & left), each(exposed), each(left), each(everybody)))


def pooled(name: str, tables: Tables, customers: int | None = None) -> Contrast | None:
    """Counts of customers, or of occasions of `customers`; None where too few can be compared."""
    tables = Tables(*(column[tables.exposed < tables.total] for column in tables))
    tables = Tables(*(column[tables.exposed > 0] for column in tables))
    exposed, others = int(tables.exposed.sum()), int((tables.total - tables.exposed).sum())
    if min(exposed if customers is None else customers, others) < SUPPORT_MIN:
        return None
    found = exact(tables)
    if found is None or found.smallest_p > SHOWN_AT_BEST:
        return None
    spared = (tables.left - tables.hits) / (tables.total - tables.exposed)
    return Contrast(
        name=name,
        exposed=exposed if customers is None else customers,
        occasions=exposed,
        left_exposed=float(tables.hits.sum() / exposed),
        left_matched=float(tables.exposed @ spared / exposed),
        odds_ratio=found.odds_ratio,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
    )


def discoveries(contrasts: Sequence[Contrast], limit: float = FALSE_DISCOVERIES) -> list[Contrast]:
    """All contrasts, most certain first, those marked found of which at most `limit` are false on average."""
    ordered = sorted(contrasts, key=lambda one: one.p_value)
    passed = [
        place for place, one in enumerate(ordered, 1) if one.p_value <= limit * place / max(1, len(ordered))
    ]
    last = max(passed, default=0)
    return [replace(one, found=place <= last) for place, one in enumerate(ordered, 1)]
