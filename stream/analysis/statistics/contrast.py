"""Do customers with a behaviour leave more often than like customers without it?

Customers are compared within matched groups; odds ratio, interval and p-value over all groups are exact
(exact.py). Many behaviours are tested at once, so the rule of Benjamini and Hochberg (1995), J. R. Stat. Soc.
B 57(1), limits the share of false discoveries. Behaviours that no outcome could have shown to matter are not
tested (Tarone 1990, Biometrics 46(2)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream.analysis.statistics.exact import ContingencyTables, exact_odds_ratio
from stream.fit.arrays import Counts, Flags

SUPPORT_MIN = 5
"""With fewer customers than this with, or without, the behaviour nothing is tested."""
P_REACHABLE_MAX = 0.01
"""A behaviour is not tested if even the most extreme outcome would have a larger p-value than this."""
FALSE_DISCOVERIES = 0.05
"""Expected share of false ones among all behaviours that are marked as found."""


@dataclass(frozen=True)
class Contrast:
    """One behaviour: how many showed it, how much more often they left, and how certain that is."""

    name: str
    exposed: int
    """Customers with the behaviour."""
    occasions: int
    """Comparisons: one per customer, or one each time that it happened."""
    left_exposed: float
    """Share of the occasions after which the customer left."""
    left_matched: float
    """Share that left among the matched customers without the behaviour."""
    odds_ratio: float
    low: float
    high: float
    p_value: float
    found: bool = False
    """Whether it counts as a discovery."""

    @property
    def lift(self) -> float | None:
        """How many times as often they left as the matched customers; None where none of those left."""
        return self.left_exposed / self.left_matched if self.left_matched > 0.0 else None


def contrast(name: str, exposed: Flags, left: Flags, groups: Counts) -> Contrast | None:
    """Compare customers with a behaviour to those without it; None where there are too few.

    All arrays have shape (customers,): `exposed` says who has the behaviour, `left` who left, `groups` the
    number of the matched group.
    """
    _, places = np.unique(groups, return_inverse=True)
    count = int(places.max(initial=-1)) + 1

    def each(flags: Flags) -> Counts:
        return np.bincount(places[flags], minlength=count).astype(np.int64)

    everybody = np.ones(len(exposed), dtype=bool)
    return pooled(name, ContingencyTables(each(exposed & left), each(exposed), each(left), each(everybody)))


def pooled(name: str, tables: ContingencyTables, customers: int | None = None) -> Contrast | None:
    """The comparison over all tables (of occasions, if `customers` is given); None for too few."""
    tables = ContingencyTables(*(column[tables.exposed < tables.total] for column in tables))
    tables = ContingencyTables(*(column[tables.exposed > 0] for column in tables))
    exposed, others = int(tables.exposed.sum()), int((tables.total - tables.exposed).sum())
    if min(exposed if customers is None else customers, others) < SUPPORT_MIN:
        return None
    found = exact_odds_ratio(tables)
    if found is None or found.smallest_p > P_REACHABLE_MAX:
        return None
    left_without = (tables.left - tables.hits) / (tables.total - tables.exposed)
    return Contrast(
        name=name,
        exposed=exposed if customers is None else customers,
        occasions=exposed,
        left_exposed=float(tables.hits.sum() / exposed),
        left_matched=float(tables.exposed @ left_without / exposed),
        odds_ratio=found.odds_ratio,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
    )


def discoveries(contrasts: Sequence[Contrast], limit: float = FALSE_DISCOVERIES) -> list[Contrast]:
    """All contrasts, smallest p-value first; of those marked found, at most `limit` are false on average."""
    ordered = sorted(contrasts, key=lambda one: one.p_value)
    passed = [
        place for place, one in enumerate(ordered, 1) if one.p_value <= limit * place / max(1, len(ordered))
    ]
    last = max(passed, default=0)
    return [replace(one, found=place <= last) for place, one in enumerate(ordered, 1)]
