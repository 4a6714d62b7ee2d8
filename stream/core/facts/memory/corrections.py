"""What the cancellations and refunds that are kept of a customer do to the orders that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from stream.core.facts.memory.order_match import (
    ANY_SOURCE,
    OrderKey,
    by_number,
    cancelled_orders,
    is_of,
    order_key,
    order_meant,
)
from stream.core.facts.sums import Order


class Refunded(Struct, array_like=True, gc=False):
    """What is kept of one refund."""

    order_id: str
    refund_minor: int
    at_ms: int
    currency: str
    source: str = ""
    """As of an order."""


class Corrections:
    """Which kept orders do not count, and what went back of the others. Money in minor units."""

    __slots__ = ("cancelled", "loose", "refunds")

    def __init__(
        self,
        orders: Iterable[Order],
        refunds: Mapping[str, Refunded],
        cancelled: Mapping[str, int],
        cancelled_by: Mapping[str, Mapping[str, int]],
    ) -> None:
        """The arguments are the fields of `Buying`."""
        self.cancelled = cancelled_orders(orders, cancelled, cancelled_by)
        """The orders that do not count."""
        self.refunds: dict[OrderKey, dict[str, Refunded]] = {}
        """The refunds of each order, by their key in `Buying.refunds`."""
        self.loose: dict[str, Refunded] = {}
        """Those whose order is not kept and was not cancelled, or could be one of several."""
        if not refunds:
            return
        numbers = by_number(orders, {back.order_id for back in refunds.values()})
        for key, back in refunds.items():
            number, candidates = back.order_id, numbers[back.order_id]
            order = order_meant(candidates, back.source)
            if order is not None:
                self.refunds.setdefault(order_key(order), {})[key] = back
                continue
            cancelling = cancelled_by.get(number, (ANY_SOURCE,)) if number in cancelled else ()
            if candidates or not any(is_of(source, back.source) for source in cancelling):
                self.loose[key] = back

    def refunded_minor(self, order: Order) -> int:
        """How much of what was paid for an order went back, in minor units of its currency."""
        refunds = self.refunds.get(order_key(order))
        if not refunds:
            return 0
        back_minor = sum(back.refund_minor for back in refunds.values() if back.currency == order.currency)
        return min(back_minor, order.total_minor)

    def foreign_refunds(self, order: Order) -> int:
        """How many refunds of an order are in another currency, so that they cannot be taken off."""
        return sum(
            back.currency != order.currency for back in self.refunds.get(order_key(order), {}).values()
        )
