"""Development: baskets and orders of the same customers over time, and what each may buy next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream.analysis.business.ledger import Ledger
from stream.core.facts.interests import MEAN_DIGITS, AlsoBought, strongest_unbought
from stream.core.units import DAY_MS
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot

BUYERS_MIN = 20
"""A category with fewer buyers than this is not recommended."""
CATEGORIES_MAX = 60
"""Only so many categories are recommended, those with the most buyers: a table of all of them with each other
is published for the dashboard."""
SHARE_DIGITS = 4
"""Shares are rounded to so many digits, here as where they are published."""


@dataclass(frozen=True)
class TierGrowth:
    """The customers of one tier in two windows of equal length; baskets in minor units."""

    tier: str
    customers: int
    basket_before_minor: float | None
    basket_now_minor: float | None
    orders_before: float
    orders_now: float


@dataclass(frozen=True)
class NextBestCategory:
    """A category, and for how many customers of one tier it is the best one to offer next."""

    tier: str
    category: str
    customers: int
    looked: int
    """How many of them have looked at it."""
    bought_by_like: float
    """Mean share of the buyers of their categories who buy this one too; 0 for customers who looked at it."""


def tier_growth(
    ledger: Ledger, before: Snapshot, tiers: Mapping[str, int], names: Sequence[str]
) -> list[TierGrowth]:
    """Basket size and orders per customer, by tier: the window since the day of `before` and an equal one
    before that day.

    The later window ends at the last snapshot of the ledger. `tiers` maps a customer to an index of `names`,
    the tier held before the earlier window (0 is the lowest): who is of a high tier between the two has just
    bought a lot, and would seem to buy less in a shop where nobody changes. Who has no tier there is left
    out, as who paid in another currency then, and so is whose first purchase is in one of the windows. A
    basket is what was paid for an order, before anything went back; free orders have
    none. A tier without an order with a price in a window has None as its basket.
    """
    middle_ms = before.as_of_ms + DAY_MS  # the snapshot is of the end of its day
    start_ms = middle_ms - (max(ledger.history.snapshots) - before.as_of_ms)
    known = [
        customer
        for customer, first in zip(before.customers, before.column("first_ms"), strict=True)
        if first < start_ms
    ]
    found = []
    for rank, name in enumerate(names):
        here = [customer for customer in known if tiers.get(customer) == rank]
        money, priced, orders = np.zeros(2), np.zeros(2), np.zeros(2)
        for customer in here:
            for one in ledger.payments.get(customer, ()):
                if one.is_order and one.at_ms >= start_ms:
                    late = int(one.at_ms >= middle_ms)
                    money[late] += one.minor
                    priced[late] += one.minor > 0
                    orders[late] += 1
        baskets = [float(money[late] / priced[late]) if priced[late] else None for late in (0, 1)]
        each = orders / max(1, len(here))
        found.append(TierGrowth(name, len(here), baskets[0], baskets[1], float(each[0]), float(each[1])))
    return found


@dataclass(frozen=True)
class CategoryOffer:
    """The category to offer one customer next."""

    category: str
    looked: bool
    """True: looked at and never bought. False: what buyers of the same categories buy most."""
    bought_by_like: float


def _owned(ledger: Ledger, now: Snapshot) -> tuple[list[str], Numbers]:
    """The categories that may be recommended, and for each customer which of them they buy (1 or 0)."""
    bought = [ledger.history.profiles[customer].interests.bought for customer in now.customers]
    buyers = Counter(category for categories in bought for category in categories)
    most = sorted(buyers, key=lambda category: (-buyers[category], category))[:CATEGORIES_MAX]
    offered = sorted(category for category in most if buyers[category] >= BUYERS_MIN)
    place = {category: at for at, category in enumerate(offered)}
    owned = np.zeros((len(bought), len(offered)))
    for row, categories in enumerate(bought):
        owned[row, [place[category] for category in categories if category in place]] = 1.0
    return offered, owned


def _shares(owned: Numbers) -> Numbers:
    together = owned.T @ owned
    return np.round(together / np.maximum(np.diag(together)[:, None], 1.0), SHARE_DIGITS)


def also_bought(ledger: Ledger, now: Snapshot) -> AlsoBought:
    """Which share of the buyers of each category buys each of the others too."""
    offered, owned = _owned(ledger, now)
    return AlsoBought(tuple(offered), tuple(map(tuple, _shares(owned).tolist())))


def category_offers(ledger: Ledger, now: Snapshot) -> dict[str, CategoryOffer]:
    """Customer -> the category looked at most and never bought, or else the one that like buyers buy most.

    It is the rule of `next_category` (stream/core/facts/interests.py), for all customers at once.
    """
    offered, owned = _owned(ledger, now)
    also = _shares(owned)
    liking = np.round(owned @ also / np.maximum(owned.sum(axis=1, keepdims=True), 1.0), MEAN_DIGITS)
    liking[owned > 0.0] = -1.0
    found = {}
    for row, customer in enumerate(now.customers):
        looked, _ = strongest_unbought(ledger.history.profiles[customer].interests, now.as_of_ms)
        best = int(liking[row].argmax()) if offered else -1
        if looked:
            found[customer] = CategoryOffer(looked, looked=True, bought_by_like=0.0)
        elif best >= 0 and liking[row, best] > 0.0:
            found[customer] = CategoryOffer(
                offered[best], looked=False, bought_by_like=float(liking[row, best])
            )
    return found


def next_best_categories(
    ledger: Ledger, now: Snapshot, tiers: Mapping[str, int], names: Sequence[str], most: int = 5
) -> list[NextBestCategory]:
    """The `most` most frequent offers in each tier; `tiers` are customer -> rank in `names`."""
    tallies: dict[tuple[int, str], list[float]] = {}
    for customer, one in category_offers(ledger, now).items():
        tally = tallies.setdefault((tiers[customer], one.category), [0, 0, 0.0])
        tally[0] += 1
        tally[1] += one.looked
        tally[2] += one.bought_by_like
    ranked = sorted(tallies.items(), key=lambda entry: (entry[0][0], -entry[1][0], entry[0][1]))
    shown: Counter[int] = Counter()
    found = []
    for (rank, category), (count, looked_at, share) in ranked:
        shown[rank] += 1
        if shown[rank] <= most:
            found.append(NextBestCategory(names[rank], category, int(count), int(looked_at), share / count))
    return found
