"""What a customer is interested in: a decayed weight per category, for the strongest categories."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.currency import Exchange
from stream.core.events.payload import Purchase
from stream.core.facts.decay import INTEREST_HALF_LIFE_MS, weight
from stream.core.facts.names import shared

CATEGORIES_KEPT = 24
"""Categories remembered of what was looked at, and of what was bought; the weakest are dropped."""

MEAN_DIGITS = 9
"""Means that differ by less are equal, in whatever order they were added up."""


class Interests(Struct, omit_defaults=True, gc=False):
    """Interest by category. Weights are forward-decayed with a half-life of 60 days (decay.py)."""

    looked: dict[str, float] = field(default_factory=dict)
    """Category -> weighted views, searches and additions to the cart or wish list."""
    bought: dict[str, float] = field(default_factory=dict)
    """Category -> units bought."""
    unit_price_max_minor: int = 0
    """The highest price paid for one unit."""
    units: int = 0
    """Units bought, in all categories."""
    spend_minor: int = 0
    """Their price."""
    currencies: list[str] = field(default_factory=list)
    """In which currencies prices were, the first two by code; with two, the amounts above say nothing."""
    units_priced: int = 0
    """Units with a price: those that `spend_minor` is of. A price of 0 is one that is not known."""

    def copy(self) -> Interests:
        """An independent copy."""
        return replace(
            self, looked=self.looked.copy(), bought=self.bought.copy(), currencies=self.currencies[:]
        )


def with_look(interests: Interests, at_ms: int, category: str | None, strength: float) -> None:
    """The customer looked at something of a category; `strength` is the weight of the event."""
    if category:
        looked, added = interests.looked, strength * weight(at_ms, INTEREST_HALF_LIFE_MS)
        known = looked.get(category)
        if known is not None:
            looked[category] = known + added
            return
        looked[shared(category)] = added
        if len(looked) > CATEGORIES_KEPT:
            _keep_strongest(looked)


def with_products(interests: Interests, at_ms: int, purchase: Purchase, money: Exchange) -> None:
    """The customer bought the products of this purchase; prices count as by the rates of the policy."""
    products, paid_in = purchase.products, purchase.currency
    is_exchanged = paid_in in money.ratios
    if products:
        _note_currency(interests.currencies, money.currency if is_exchanged else paid_in)
    decayed = weight(at_ms, INTEREST_HALF_LIFE_MS)
    bought = interests.bought
    for product in products:
        units, price_minor = product.quantity, product.price_minor
        if is_exchanged:
            price_minor = money.exchanged(price_minor, paid_in)
        interests.units += units
        if price_minor:
            interests.spend_minor += units * price_minor
            interests.units_priced += units
            if price_minor > interests.unit_price_max_minor:
                interests.unit_price_max_minor = price_minor
        category = product.category
        if category:
            known = bought.get(category)
            if known is not None:
                bought[category] = known + decayed * units
            else:
                bought[shared(category)] = decayed * units
    if len(bought) > CATEGORIES_KEPT:
        _keep_strongest(bought)


def _note_currency(currencies: list[str], currency: str) -> None:
    """Keep the first two by code, so that it does not matter in which order they come."""
    if currency not in currencies:
        currencies.append(shared(currency))
        currencies.sort()
        del currencies[2:]


def strongest_unbought(interests: Interests, as_of_ms: int) -> tuple[str, float]:
    """The category with the most interest among those never bought, and its weight; or ("", 0.0)."""
    bought = interests.bought
    best = max(
        ((strength, category) for category, strength in interests.looked.items() if category not in bought),
        default=(0.0, ""),
    )
    return best[1], best[0] / weight(as_of_ms, INTEREST_HALF_LIFE_MS)


class AlsoBought(Struct, frozen=True):
    """Of categories that many buy: which share of the buyers of each buys each of the others too."""

    categories: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    """Row: the category that is bought; column: the other one; 0 to 1."""


class NextCategory(Struct, frozen=True):
    """The category to offer a customer next, and why."""

    category: str
    share: float = 0.0
    """Of the buyers of the categories that the customer buys, on average; 0: they looked at it."""
    because: str = ""
    """The category they buy whose buyers buy the offered one most often; empty: they looked at it."""
    because_share: float = 0.0
    """The share of the buyers of `because`."""


def next_category(interests: Interests, as_of_ms: int, also: AlsoBought | None) -> NextCategory | None:
    """The category looked at most and not bought, or else the one that buyers of the same categories buy most
    often: the highest mean share over what the customer buys, of equal ones the first. `also`: None where it
    is not known. None: nothing speaks for any category."""
    looked, _ = strongest_unbought(interests, as_of_ms)
    if looked or also is None:
        return NextCategory(looked) if looked else None
    rows = [
        (name, row)
        for name, row in zip(also.categories, also.shares, strict=True)
        if name in interests.bought
    ]
    best: NextCategory | None = None
    for place, name in enumerate(also.categories):
        if name in interests.bought or not rows:
            continue
        mean = round(sum(row[place] for _, row in rows) / len(rows), MEAN_DIGITS)
        if mean > (best.share if best else 0.0):
            because, row = max(rows, key=lambda each: each[1][place])
            best = NextCategory(name, mean, because, row[place])
    return best


def top_categories(weights: dict[str, float], count: int) -> list[str]:
    """The strongest categories, strongest first."""
    return sorted(weights, key=lambda category: (-weights[category], category))[:count]


def _keep_strongest(weights: dict[str, float]) -> None:
    """Drop the weakest categories, of those with one weight the first by name."""
    surplus = len(weights) - CATEGORIES_KEPT
    # Only numbers are sorted, and then the weakest few: 1.6 us, where sorting all by a key takes 3.5.
    least = sorted(weights.values())[surplus - 1]
    weakest = [(weight, category) for category, weight in weights.items() if weight <= least]
    for _, category in sorted(weakest)[:surplus]:
        del weights[category]
