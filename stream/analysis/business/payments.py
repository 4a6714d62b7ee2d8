"""What was paid for each order as it is at last, as the facts of a customer count it.

A cancelled order never happened, nor did what was refunded of it; one that came again with another amount is
one order of that amount. No more goes back than was paid for an order. An order for nothing is an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from stream.core.currency import Exchange
from stream.core.events.event import Event, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.facts.memory.order_match import source_mark
from stream.fit.order_names import Cancellations, CancelledOrders, order_name


class Payment(NamedTuple):
    """Money that moved for one order."""

    at_ms: int
    """When it did, as the clock of the business shows it."""
    minor: int
    """Minor units: what was paid, 0 for a free order; below 0 what went back."""
    order_ms: int
    """When the order was placed; of what went back of an order that is not known, when it did."""

    @property
    def is_order(self) -> bool:
        """Whether this is the order itself, not a refund."""
        return self.minor >= 0


@dataclass(frozen=True)
class BookedOrder:
    """An order: when it was placed, as the clock of the business shows it, and what was paid for it."""

    at_ms: int
    minor: int
    """Minor units of `currency`."""
    currency: str
    source: str
    discounted: bool
    campaign: str = ""
    """The one that the order names; empty: none."""


@dataclass(frozen=True)
class BookedRefund:
    """A refund: when, as the clock of the business shows it, and what went back."""

    at_ms: int
    minor: int
    """Minor units of `currency`."""
    currency: str
    order: str
    """Its order (`order_name`)."""


@dataclass
class PaidOrders:
    """The orders and refunds of all customers of a recording."""

    orders: dict[str, dict[str, BookedOrder]] = field(default_factory=dict)
    """Customer -> order (`order_name`)."""
    refunds: dict[str, dict[tuple[str, str], BookedRefund]] = field(default_factory=dict)
    """Customer -> id of the refund and mark of its source."""
    cancelled: Cancellations[BookedOrder] = field(default_factory=Cancellations)
    """Customer -> cancelled orders, where there is any."""

    def note(self, event: Event, at_ms: int, money: Exchange) -> None:
        """Record what an event pays, gives back or undoes; events of other kinds do nothing."""
        if type(event) is PurchaseCompleted:
            minor, currency = money.counted(event.data.total_minor, event.data.currency)
            campaign = event.data.campaign.id if event.data.campaign is not None else ""
            orders = self.orders.setdefault(event.subject, {})
            discounted = bool(event.data.discount_minor)
            orders[order_name(event)] = BookedOrder(
                at_ms, minor, currency, event.source, discounted, campaign
            )
            self.cancelled.place(event, orders)
        elif type(event) is PurchaseRefunded:
            minor, currency = money.counted(event.data.refund_minor, event.data.currency)
            key = event.data.refund_id, source_mark(event.source)
            self.refunds.setdefault(event.subject, {}).setdefault(
                key, BookedRefund(at_ms, minor, currency, order_name(event))
            )
        elif type(event) is PurchaseCancelled:
            self.cancelled.cancel(event, self.orders.setdefault(event.subject, {}))

    def moved(self) -> dict[str, dict[str, list[Payment]]]:
        """Currency -> customer -> payments in order of time."""
        found: dict[str, dict[str, list[Payment]]] = {}
        for customer, orders in self.orders.items():
            for one in orders.values():
                payment = Payment(one.at_ms, one.minor, one.at_ms)
                found.setdefault(one.currency, {}).setdefault(customer, []).append(payment)
        for customer, refunds in self.refunds.items():
            for currency, payment in self._back(customer, refunds.values()):
                found.setdefault(currency, {}).setdefault(customer, []).append(payment)
        for of_currency in found.values():
            for moved in of_currency.values():
                moved.sort(key=lambda each: each.at_ms)
        return found

    def _back(self, customer: str, refunds: Iterable[BookedRefund]) -> Iterator[tuple[str, Payment]]:
        """What went back to a customer, with its currency."""
        orders, cancelled = self.orders.get(customer, {}), self.cancelled.get(customer, CancelledOrders())
        left = {name: one.minor for name, one in orders.items()}
        for back in refunds:
            minor = back.minor
            name = cancelled.meant(back.order, orders)
            if name in cancelled.gone or (name is None and cancelled.has(back.order)):
                continue
            if name is None:
                if minor:
                    yield back.currency, Payment(back.at_ms, -minor, back.at_ms)
                continue
            if back.currency == orders[name].currency:
                minor = min(minor, left[name])
                left[name] -= minor
            if minor:
                yield back.currency, Payment(back.at_ms, -minor, orders[name].at_ms)

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
