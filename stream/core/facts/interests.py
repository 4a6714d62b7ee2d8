"""What a customer is interested in: decayed weights per category, bounded to the strongest."""

from __future__ import annotations

from msgspec import Struct, field

from stream.core.events.payload import Product
from stream.core.facts.decay import INTEREST_HALF_LIFE_MS, weight

CATEGORIES_KEPT = 24


class Interests(Struct, omit_defaults=True, gc=False):
    """Forward-decayed weights per category: `looked` by views, searches and carts, `bought` by units."""

    looked: dict[str, float] = field(default_factory=dict)
    bought: dict[str, float] = field(default_factory=dict)
    unit_price_max_minor: int = 0
    units: int = 0
    spend_minor: int = 0


def with_look(interests: Interests, at_ms: int, category: str | None, strength: float) -> None:
    """The customer looked at something of a category."""
    if category:
        looked = interests.looked
        looked[category] = looked.get(category, 0.0) + strength * weight(at_ms, INTEREST_HALF_LIFE_MS)
        if len(looked) > CATEGORIES_KEPT:
            _keep_strongest(looked)


def with_products(interests: Interests, at_ms: int, products: tuple[Product, ...]) -> None:
    """The customer bought these."""
    heft = weight(at_ms, INTEREST_HALF_LIFE_MS)
    bought = interests.bought
    for product in products:
        units, price_minor = product.quantity, product.price_minor
        interests.units += units
        interests.spend_minor += units * price_minor
        if price_minor > interests.unit_price_max_minor:
            interests.unit_price_max_minor = price_minor
        category = product.category
        if category:
            bought[category] = bought.get(category, 0.0) + heft * units
    if len(bought) > CATEGORIES_KEPT:
        _keep_strongest(bought)


def strongest_unbought(interests: Interests, as_of_ms: int) -> tuple[str, float]:
    """The category looked at most that was never bought, with its decayed weight; or ("", 0.0)."""
    bought = interests.bought
    best = max(
        ((strength, category) for category, strength in interests.looked.items() if category not in bought),
        default=(0.0, ""),
    )
    return best[1], best[0] / weight(as_of_ms, INTEREST_HALF_LIFE_MS)


def top_categories(weights: dict[str, float], count: int) -> list[str]:
    """The strongest categories, strongest first."""
    return sorted(weights, key=lambda category: (-weights[category], category))[:count]


def _keep_strongest(weights: dict[str, float]) -> None:
    for category in sorted(weights, key=lambda name: (weights[name], name))[: len(weights) - CATEGORIES_KEPT]:
        del weights[category]
