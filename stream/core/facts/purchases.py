"""Facts of buying: orders, refunds and cancellations, and sums that are the same in any order of arrival.

The latest `ORDERS_KEPT` orders are kept one by one, so that a refund, a cancellation or a late purchase
corrects the sums exactly; of older orders only sums remain. A purchase that is the newest is added to the
sums; any other event computes them again.
"""

from __future__ import annotations

from bisect import insort

from msgspec import Struct, field

from stream.core.calendar import Calendar
from stream.core.currency import Exchange
from stream.core.events.payload import Cancellation, Purchase, Refund
from stream.core.facts.decay import VALUE_HALF_LIFE_MS, weight
from stream.core.facts.meaning import Meaning
from stream.core.facts.sums import Order, Sums

ORDERS_KEPT = 64
REFUNDS_KEPT = 64
"""Refunds, and cancellations, that are kept one by one."""


class Refunded(Struct, array_like=True, gc=False):
    """What is kept of one refund."""

    order_id: str
    refund_minor: int
    at_ms: int
    currency: str


class Buying(Struct, omit_defaults=True, gc=False):
    """Everything known about a customer's purchases."""

    currency: str = ""
    """That of the first order that counts; with a rate the policy's."""
    orders: list[Order] = field(default_factory=list)
    """The latest, in order of time."""
    refunds: dict[str, Refunded] = field(default_factory=dict)
    """By refund id."""
    cancelled: dict[str, int] = field(default_factory=dict)
    """Order id -> when it was cancelled."""
    older: Sums | None = None
    """Sums over the orders that are no longer kept one by one."""
    sums: Sums = field(default_factory=Sums)
    """Sums over all orders."""
    event_at_ms: int = 0
    """The time of the last purchase event."""
    event_id: str = ""
    """Its id."""

    @property
    def net_minor(self) -> int:
        """Money paid less refunds, never below zero."""
        return max(0, self.sums.gross_minor - self.sums.refunded_minor)


def with_purchase(buying: Buying, at_ms: int, purchase: Purchase, meaning: Meaning) -> bool:
    """Add a purchase; True if it corrects the past: it is late, or a new version of a known order.

    Another order of the same instant is neither, whichever of them is added first.
    """
    order = as_order(at_ms, purchase, meaning.money)
    orders = buying.orders
    order_id = order.order_id
    known: Order | None = None
    for kept in orders:
        if kept.order_id == order_id:
            known = kept
            break
    latest_ms = orders[-1].at_ms if orders else at_ms
    newest = not orders or order > orders[-1]
    if known is None and newest and not _corrected(buying, order_id):
        buying.currency = buying.currency or order.currency
        orders.append(order)
        buying.sums.add(order, 0, buying.currency, meaning)
        if len(orders) > ORDERS_KEPT:
            _move_to_older(buying, meaning)
        return False
    if known is not None:
        orders.remove(known)
        order = max(known, order)
    insort(orders, order)
    while len(orders) > ORDERS_KEPT:
        _move_to_older(buying, meaning)
    _recompute(buying, meaning)
    return at_ms < latest_ms or known is not None


def _corrected(buying: Buying, order_id: str) -> bool:
    """Whether this order's cancellation or refund arrived before it, or refunds wait for a first order's
    currency."""
    if order_id in buying.cancelled:
        return True
    refunds = buying.refunds
    return bool(refunds) and (
        not buying.sums.orders or any(back.order_id == order_id for back in refunds.values())
    )


def as_order(at_ms: int, purchase: Purchase, money: Exchange) -> Order:
    """What is kept of a purchase; its money as it counts."""
    products, currency = purchase.products, purchase.currency
    total_minor, discount_minor = purchase.total_minor, purchase.discount_minor
    if currency in money.ratios:
        total_minor, currency = money.counted(total_minor, currency)
        if currency == money.currency:
            discount_minor = money.exchanged(discount_minor, purchase.currency)
    # Nearly half of all baskets hold one product; taking it directly halves the cost of this function.
    one = products[0] if len(products) == 1 else None
    return Order(
        at_ms,
        purchase.order_id,
        total_minor,
        discount_minor,
        one.quantity if one else sum([product.quantity for product in products]),
        1 if one else len({product.category for product in products}),
        currency,
    )


def with_refund(buying: Buying, at_ms: int, refund: Refund, meaning: Meaning) -> None:
    """Take a refund off its order, as of the order's own time. A refund counts once by its id."""
    refund_minor, currency = meaning.money.counted(refund.refund_minor, refund.currency)
    back = Refunded(refund.order_id, refund_minor, at_ms, currency)
    known = buying.refunds.get(refund.refund_id, back)
    buying.refunds[refund.refund_id] = min(known, back, key=_earlier_first)
    if len(buying.refunds) > REFUNDS_KEPT:
        _move_refund_to_older(buying, meaning)
    _recompute(buying, meaning)


def _earlier_first(back: Refunded) -> tuple[int, int, str, str]:
    """Sort key: of two refunds with one id the earlier counts, in whichever order they arrive."""
    return back.at_ms, back.refund_minor, back.order_id, back.currency


def with_cancellation(buying: Buying, at_ms: int, cancellation: Cancellation, meaning: Meaning) -> None:
    """Cancel an order, which may be known already or arrive later: as if it had never been placed."""
    order_id = cancellation.order_id
    buying.cancelled[order_id] = min(at_ms, buying.cancelled.get(order_id, at_ms))
    if len(buying.cancelled) > REFUNDS_KEPT:
        del buying.cancelled[
            min(buying.cancelled, key=lambda order_id: (buying.cancelled[order_id], order_id))
        ]
    _recompute(buying, meaning)


def purchase_days(buying: Buying, calendar: Calendar) -> list[int]:
    """Distinct days with a purchase among the kept orders, as day numbers since 1970-01-01, ascending."""
    cancelled = buying.cancelled
    return sorted(
        calendar.local_days([order.at_ms for order in buying.orders if order.order_id not in cancelled])
    )


def _move_to_older(buying: Buying, meaning: Meaning) -> None:
    """Move the oldest kept order into the sums of older ones, where nothing can correct it any more."""
    order = buying.orders.pop(0)
    older = buying.older = buying.older or Sums()
    if order.order_id not in buying.cancelled:
        if order.at_ms < older.last_at_ms:
            # It arrived after later orders had been moved: counted as if bought with the last of them.
            order = Order(older.last_at_ms, *[getattr(order, name) for name in Order.__struct_fields__[1:]])
        older.add(order, _refunded(buying, order), buying.currency, meaning)
    buying.refunds = {
        key: refund for key, refund in buying.refunds.items() if refund.order_id != order.order_id
    }


def _move_refund_to_older(buying: Buying, meaning: Meaning) -> None:
    """Move the oldest kept refund into the sums of older orders, as far as it counted while it was kept."""
    refunds, older = buying.refunds, buying.older or Sums()
    oldest = min(refunds, key=lambda refund_id: (refunds[refund_id].at_ms, refund_id))
    order = next((order for order in buying.orders if order.order_id == refunds[oldest].order_id), None)
    before_minor = _refunded(buying, order) if order else 0
    back = refunds.pop(oldest)
    if back.order_id in buying.cancelled or back.currency != buying.currency:
        return
    counted_minor = before_minor - _refunded(buying, order) if order else back.refund_minor
    at_ms = order.at_ms if order else back.at_ms
    older.refunded_minor += counted_minor
    older.value -= counted_minor * weight(at_ms, VALUE_HALF_LIFE_MS)
    if order and meaning.calendar.local_day(at_ms) == buying.sums.first_day:
        older.first_day_minor -= counted_minor
    buying.older = older


def _refunded(buying: Buying, order: Order) -> int:
    refunds = buying.refunds
    if not refunds:
        return 0
    order_id, currency = order.order_id, order.currency
    back_minor = sum(
        back.refund_minor
        for back in refunds.values()
        if back.order_id == order_id and back.currency == currency
    )
    return min(back_minor, order.total_minor)


def _recompute(buying: Buying, meaning: Meaning) -> None:
    """Compute the sums again from all that is kept: exact after any correction."""
    live = [order for order in buying.orders if order.order_id not in buying.cancelled]
    if buying.older is None or not buying.older.orders:
        buying.currency = live[0].currency if live else ""
    sums = buying.older.copy() if buying.older else Sums()
    for order in live:
        sums.add(order, _refunded(buying, order), buying.currency, meaning)
    known = {order.order_id for order in buying.orders} | buying.cancelled.keys()
    for back in buying.refunds.values():
        if back.order_id not in known and sums.orders and back.currency == buying.currency:
            sums.refunded_minor += back.refund_minor
            sums.value -= back.refund_minor * weight(back.at_ms, VALUE_HALF_LIFE_MS)
    buying.sums = sums
