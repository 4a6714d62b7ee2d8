"""Baskets without what went back of them: whether a customer spends more is told by what they keep."""

from __future__ import annotations

from collections.abc import Iterable

from stream.core.facts.decay import BASKET_HALF_LIFE_MS, weight
from stream.core.facts.memory.corrections import Corrections
from stream.core.facts.memory.order_match import order_key
from stream.core.facts.sums import Order, Sums, priced_orders


def kept_baskets(orders: Iterable[Order], corrections: Corrections, older: Sums, currency: str) -> Sums:
    """The orders that had a price and of which something was kept, and their money (minor units): the fields
    of a mean basket (`orders`, `gross_minor`, `basket_sum`, `basket_weight`) and no others.

    `older` are the orders that are no longer kept one by one: those are as ordered. A refund of an order that
    is not known changes none. Money in another `currency` is left out.
    """
    found = Sums(
        orders=priced_orders(older),
        gross_minor=older.gross_minor,
        basket_sum=older.basket_sum,
        basket_weight=older.basket_weight,
    )
    for order in orders:
        kept_minor = order.total_minor - corrections.refunded_minor(order)
        if order.currency == currency and kept_minor and order_key(order) not in corrections.cancelled:
            recent = weight(order.at_ms, BASKET_HALF_LIFE_MS)
            found.orders += 1
            found.gross_minor += kept_minor
            found.basket_weight += recent
            found.basket_sum += recent * kept_minor
    return found
