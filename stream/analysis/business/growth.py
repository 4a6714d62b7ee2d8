"""Development: baskets and visits of the same customers now and before, and what each would buy next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream.analysis.business.ledger import Books
from stream.core.facts.interests import strongest_unbought
from stream.core.units import DAY_MS
from stream.fit.history import Snapshot

BUYERS_MIN = 20
"""A category with fewer buyers than this is recommended to nobody."""


@dataclass(frozen=True)
class Growth:
    """One tier's customers of at least two windows: per customer and window, money in minor units."""

    tier: str
    customers: int
    basket_before_minor: float | None
    basket_now_minor: float | None
    orders_before: float
    orders_now: float


@dataclass(frozen=True)
class NextBest:
    """A category that customers of a tier have not bought, and how many it is the best next one for."""

    tier: str
    category: str
    customers: int
    looked: int
    """Of them, how many looked at it already."""
    bought_by_like: float
    """Mean share of buyers of their categories who buy this one too; 0 where it was looked at only."""


def growth(books: Books, before: Snapshot, tiers: Mapping[str, int], names: Sequence[str]) -> list[Growth]:
    """By the tier held at the earlier day, over the equal windows before and after it."""
    middle_ms = before.as_of_ms + DAY_MS  # the snapshot's day is known whole
    start_ms = middle_ms - (max(books.history.snapshots) - before.as_of_ms)
    known = [
        customer
        for customer, first in zip(before.customers, before.column("first_ms"), strict=True)
        if first < start_ms
    ]
    found = []
    for rank, name in enumerate(names):
        here = [customer for customer in known if tiers[customer] == rank]
        money, orders = np.zeros(2), np.zeros(2)
        for customer in here:
            for at_ms, amount in books.paid.get(customer, ()):
                if amount > 0 and at_ms >= start_ms:
                    late = int(at_ms >= middle_ms)
                    money[late] += amount
                    orders[late] += 1
        baskets = [float(money[late] / orders[late]) if orders[late] else None for late in (0, 1)]
        each = orders / max(1, len(here))
        found.append(Growth(name, len(here), baskets[0], baskets[1], float(each[0]), float(each[1])))
    return found


@dataclass(frozen=True)
class Advice:
    """What one customer should be offered next."""

    category: str
    looked: bool
    """They looked at it and never bought it; otherwise it is what buyers of the same categories buy."""
    bought_by_like: float


def advice(books: Books, now: Snapshot) -> dict[str, Advice]:
    """What was looked at and never bought, or else what buyers of the same categories buy most."""
    bought = [set(books.history.profiles[customer].interests.bought) for customer in now.customers]
    popular = Counter(category for categories in bought for category in categories)
    offered = sorted(category for category, buyers in popular.items() if buyers >= BUYERS_MIN)
    place = {category: at for at, category in enumerate(offered)}
    owned = np.zeros((len(bought), len(offered)))
    for row, categories in enumerate(bought):
        owned[row, [place[category] for category in categories if category in place]] = 1.0
    together = owned.T @ owned
    also = together / np.maximum(np.diag(together)[:, None], 1.0)
    liking = owned @ also / np.maximum(owned.sum(axis=1, keepdims=True), 1.0)
    liking[owned > 0.0] = -1.0
    found = {}
    for row, customer in enumerate(now.customers):
        looked, _ = strongest_unbought(books.history.profiles[customer].interests, now.as_of_ms)
        best = int(liking[row].argmax()) if offered else -1
        if looked:
            found[customer] = Advice(looked, looked=True, bought_by_like=0.0)
        elif best >= 0 and liking[row, best] > 0.0:
            found[customer] = Advice(offered[best], looked=False, bought_by_like=float(liking[row, best]))
    return found


def next_best(
    books: Books, now: Snapshot, tiers: Mapping[str, int], names: Sequence[str], most: int = 5
) -> list[NextBest]:
    """The commonest advice in each tier."""
    tallies: dict[tuple[int, str], list[float]] = {}
    for customer, one in advice(books, now).items():
        tally = tallies.setdefault((tiers[customer], one.category), [0, 0, 0.0])
        tally[0] += 1
        tally[1] += one.looked
        tally[2] += one.bought_by_like
    ranked = sorted(tallies.items(), key=lambda entry: (-entry[0][0], -entry[1][0], entry[0][1]))
    shown: Counter[int] = Counter()
    found = []
    for (rank, category), (count, looked_at, share) in ranked:
        shown[rank] += 1
        if shown[rank] <= most:
            found.append(NextBest(names[rank], category, int(count), int(looked_at), share / count))
    return found
