"""What was paid for each order as it is at last.

A cancelled order never happened; one that came again with another amount is one order of that amount.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stream.core.currency import Exchange
from stream.core.events.event import Event, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.fit.order_names import cancelled_name, order_name


@dataclass(frozen=True)
class BookedOrder:
    """An order: when it was placed, as the clock of the business shows it, and what was paid for it."""

    at_ms: int
    minor: int
    """Minor units of `currency`."""
    currency: str
    source: str
    discounted: bool


@dataclass
class PaidOrders:
    """The orders and refunds of all customers of a recording."""

    orders: dict[str, dict[str, BookedOrder]] = field(default_factory=dict)
    """Customer -> order (`order_name`)."""
    refunds: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    """Customer -> (time, amount in minor units, currency)."""

    def note(self, event: Event, at_ms: int, money: Exchange) -> None:
        """Record what an event pays, gives back or undoes; events of other kinds do nothing."""
        if type(event) is PurchaseCompleted:
            minor, currency = money.counted(event.data.total_minor, event.data.currency)
            self.orders.setdefault(event.subject, {})[order_name(event)] = BookedOrder(
                at_ms, minor, currency, event.source, bool(event.data.discount_minor)
            )
        elif type(event) is PurchaseRefunded:
            refund = (at_ms, *money.counted(event.data.refund_minor, event.data.currency))
            self.refunds.setdefault(event.subject, []).append(refund)
        elif type(event) is PurchaseCancelled:
            orders = self.orders.get(event.subject, {})
            if (cancelled := cancelled_name(orders, event)) is not None:
                del orders[cancelled]

    def moved(self) -> dict[str, dict[str, list[tuple[int, int]]]]:
        """Currency -> customer -> (time, amount in minor units) in order of time; refunds are negative."""
        found: dict[str, dict[str, list[tuple[int, int]]]] = {}
        for customer, orders in self.orders.items():
            for one in orders.values():
                found.setdefault(one.currency, {}).setdefault(customer, []).append((one.at_ms, one.minor))
        for customer, refunds in self.refunds.items():
            for at_ms, minor, currency in refunds:
                found.setdefault(currency, {}).setdefault(customer, []).append((at_ms, -minor))
        for of_currency in found.values():
            for moved in of_currency.values():
                moved.sort(key=lambda each: each[0])
        return found

    def ordered(self) -> dict[str, dict[str, int]]:
        """Source -> customer -> number of orders."""
        found: dict[str, dict[str, int]] = {}
        for customer, orders in self.orders.items():
            for one in orders.values():
                of_source = found.setdefault(one.source, {})
                of_source[customer] = of_source.get(customer, 0) + 1
        return found

    def discounted(self) -> dict[str, int]:
        """Customer -> number of orders with a discount, where there is one."""
        counts = {
            customer: sum(one.discounted for one in orders.values())
            for customer, orders in self.orders.items()
        }
        return {customer: count for customer, count in counts.items() if count}

    def discounting(self) -> set[str]:
        """Sources in which some order has a discount."""
        return {one.source for orders in self.orders.values() for one in orders.values() if one.discounted}
