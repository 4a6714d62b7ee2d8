"""Which kept order a purchase, a refund or a cancellation is about.

The number of an order is unique within the `source` of its events. A refund or a cancellation is about the
order of its own source, else about the only order that has the number. A row of version 1 does not know the
source of its orders: they match any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from stream.core.facts.sums import Order

SOURCE_BYTES = 3
"""Of a hash: two sources of one customer are confused once in 16 million."""
ANY_SOURCE = ""
OrderKey = tuple[str, str]
"""Order number and mark of the source."""


@lru_cache(maxsize=256)
def source_mark(source: str) -> str:
    """Six characters that stand for the `source` of an event."""
    return blake2b(source.encode(), digest_size=SOURCE_BYTES).hexdigest()


def is_of(source: str, other: str) -> bool:
    """Whether two marks mean one source; an unknown source may be any."""
    return source == other or not source or not other


def order_key(order: Order) -> OrderKey:
    """What tells an order from all others of its customer."""
    return order.order_id, order.source


def known_order(orders: Sequence[Order], number: str, source: str) -> Order | None:
    """The kept order of this number and source."""
    for order in orders:  # twice as fast as a search without a loop in Python
        if order.order_id == number:
            break
    else:
        return None
    return _of_source([order for order in orders if order.order_id == number], source)


def order_meant(candidates: Sequence[Order], source: str) -> Order | None:
    """Of the orders with one number that which a refund or cancellation from `source` is about."""
    own = _of_source(candidates, source)
    return candidates[0] if own is None and len(candidates) == 1 else own


def _of_source(candidates: Iterable[Order], source: str) -> Order | None:
    """The order from `source` itself; else one that may be."""
    possible = None
    for order in candidates:
        if order.source == source:
            return order
        if possible is None and is_of(order.source, source):
            possible = order
    return possible


def by_number(orders: Iterable[Order], numbers: Iterable[str]) -> dict[str, list[Order]]:
    """The orders that have one of these numbers, by number, in order of time."""
    found: dict[str, list[Order]] = {number: [] for number in numbers}
    for order in orders:
        if order.order_id in found:
            found[order.order_id].append(order)
    return found


def live_orders(
    orders: list[Order], cancelled: Mapping[str, int], cancelled_by: Mapping[str, Mapping[str, int]]
) -> list[Order]:
    """The orders that count. The arguments are the fields of `Buying`; the first may be the result."""
    gone = cancelled_orders(orders, cancelled, cancelled_by)
    if not gone:
        return orders
    return [order for order in orders if order.order_id not in cancelled or order_key(order) not in gone]


def cancelled_orders(
    orders: Iterable[Order], cancelled: Mapping[str, int], cancelled_by: Mapping[str, Mapping[str, int]]
) -> set[OrderKey]:
    """The orders that do not count: placed, or paid, not later than they were cancelled."""
    if not cancelled:
        return set()
    suspects = [order for order in orders if order.order_id in cancelled]
    if not suspects:
        return set()
    gone: set[OrderKey] = set()
    for number, candidates in by_number(suspects, {order.order_id for order in suspects}).items():
        for source, at_ms in cancelled_by.get(number, {ANY_SOURCE: cancelled[number]}).items():
            order = order_meant(candidates, source)
            if order is not None and order.at_ms <= at_ms:
                gone.add(order_key(order))
    return gone
