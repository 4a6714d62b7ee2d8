"""Who was at risk before and is back now: saved, and how many would have come back by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream.analysis.business.ledger import Books
from stream.core.units import DAY_MS
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot


@dataclass(frozen=True)
class Saved:
    """Of one tier's customers who were at risk at the earlier day: what became of them until now."""

    tier: str
    at_risk: int
    came_back: int
    expected_back: float
    """By their risk then: so many come back when nothing is done, if their own horizon has passed by now."""
    value_back_minor: int
    """What they have spent since."""


def saved(
    books: Books,
    before: Snapshot,
    risks: tuple[Numbers, float],
    tiers: Mapping[str, int],
    names: Sequence[str],
) -> list[Saved]:
    """`risks`: as of the earlier day, in the order of its customers; and from which on they are at risk."""
    risk, raise_at = risks
    found = []
    for rank, name in enumerate(names):
        at_risk, back, expected, spent = 0, 0, 0.0, 0
        for customer, score in zip(before.customers, risk, strict=True):
            if score < raise_at or tiers[customer] != rank:
                continue
            later = [
                money
                for at_ms, money in books.paid.get(customer, ())
                if at_ms >= before.as_of_ms + DAY_MS and money > 0
            ]
            at_risk += 1
            back += bool(later)
            expected += 1.0 - float(score)
            spent += sum(later)
        found.append(Saved(name, at_risk, back, expected, spent))
    return found


def told_outcomes(books: Books) -> dict[str, int]:
    """What those who acted on alerts reported: saved, churned, ignored."""
    counts: Counter[str] = Counter()
    for profile in books.history.profiles.values():
        counts.update(profile.identity.outcomes)
    return dict(sorted(counts.items()))
