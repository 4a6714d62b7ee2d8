"""What customers did after a moment: whether they bought again, and what they paid.

An order counts as it is known at the end of the events: less what was refunded of it, and not at all when it
was cancelled, whenever that was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from stream.core.currency import Exchange
from stream.core.events.event import (
    CustomerErased,
    Event,
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
)
from stream.fit.order_names import CancelledOrders, order_name


class KnownOrder(Struct):
    """One order as it is known at last."""

    at_ms: int
    minor: int
    currency: str


class After(Struct, frozen=True):
    """What a customer did within a window after a moment."""

    bought: bool
    paid_minor: int
    """In the currency of the comparison, less refunds."""
    paid_otherwise: bool
    """Whether some of the orders were paid in a currency that does not count."""


@dataclass
class OrderHistory:
    """The orders of one customer."""

    orders: dict[str, KnownOrder] = field(default_factory=dict)
    """By number and source."""
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """By refund and source -> order, what was paid back, in which currency."""
    erased_ms: list[int] = field(default_factory=list)
    cancelled: CancelledOrders[KnownOrder] = field(default_factory=CancelledOrders)


@dataclass
class Lives:
    """What some customers bought, in the order of time."""

    by_customer: dict[str, OrderHistory]
    last_ms: int = 0
    """Time of the last order of anybody: up to then it is known who bought."""

    def after(self, customer: str, moment_ms: int, until_ms: int, currency: str) -> After:
        """What a customer did after a moment, up to an instant and at that."""
        orders = sorted(self.by_customer[customer].orders.values(), key=lambda order: order.at_ms)
        times = [order.at_ms for order in orders]
        inside = orders[bisect_right(times, moment_ms) : bisect_right(times, until_ms)]
        counted = [order for order in inside if order.currency == currency]
        return After(bool(inside), sum(order.minor for order in counted), len(counted) < len(inside))

    def erased_after(self, customer: str, moment_ms: int) -> bool:
        """Whether a customer was erased after a moment: then what was bought may be gone."""
        erased = self.by_customer[customer].erased_ms
        return bisect_left(erased, moment_ms) < len(erased)


def lives_of(customers: Collection[str], events: Iterable[Event], money: Exchange) -> Lives:
    """Read the orders of these customers from events in order of time; amounts as the policy counts them."""
    lives = Lives({customer: OrderHistory() for customer in customers})
    for event in events:
        if type(event) is PurchaseCompleted:
            lives.last_ms = max(lives.last_ms, event.time_ms)
        life = lives.by_customer.get(event.subject)
        if life is not None:
            _note(life, event, money)
    for life in lives.by_customer.values():
        _pay_back(life)
    return lives


def _note(life: OrderHistory, event: Event, money: Exchange) -> None:
    if type(event) is PurchaseCompleted:
        minor, currency = money.counted(event.data.total_minor, event.data.currency)
        name = order_name(event)
        known = life.orders.get(name)
        life.orders[name] = KnownOrder(known.at_ms if known else event.time_ms, minor, currency)
        life.cancelled.place(name, life.orders)
    elif type(event) is PurchaseRefunded:
        back, currency = money.counted(event.data.refund_minor, event.data.currency)
        life.refunds[f"{event.data.refund_id}\n{event.source}"] = order_name(event), back, currency
    elif type(event) is PurchaseCancelled:
        life.cancelled.cancel(order_name(event), life.orders)
    elif type(event) is CustomerErased:
        life.erased_ms.append(event.time_ms)


def _pay_back(life: OrderHistory) -> None:
    for name, back, currency in life.refunds.values():
        order = life.orders.get(life.cancelled.meant(name, life.orders) or "")
        if order is not None and order.currency == currency:
            order.minor = max(0, order.minor - back)
