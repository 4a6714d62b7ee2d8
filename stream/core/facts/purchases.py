"""Facts of buying: orders, refunds and cancellations, and sums that are the same in any order of arrival.

An order is known by its number and the source of its event (memory/order_match.py). The latest `ORDERS_KEPT`
are kept one by one, so that a refund, a cancellation or a late purchase corrects the sums exactly; of older
orders only sums remain. A purchase that is the newest is added to the sums; any other event computes them
again.
"""

from __future__ import annotations

from bisect import insort

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.calendar import Calendar
from stream.core.currency import Exchange
from stream.core.events.payload import Cancellation, Purchase, Refund
from stream.core.facts.meaning import Meaning
from stream.core.facts.memory.corrections import Corrections, Refunded
from stream.core.facts.memory.order_match import (
    ANY_SOURCE,
    MANY_ORDERS,
    ManyOrders,
    known_order,
    live_orders,
    order_key,
)
from stream.core.facts.names import shared
from stream.core.facts.sums import Order, Sums

ORDERS_KEPT = 64
REFUNDS_KEPT = 64
"""Refunds, and cancellations, that are kept one by one."""
CANCELLING_SOURCES_KEPT = 8
"""Sources that cancelled one order number, of which each is remembered; those that did so last."""


class Buying(Struct, omit_defaults=True, gc=False):
    """Everything known about a customer's purchases."""

    currency: str = ""
    """That of the first order that counts; with a rate the policy's."""
    orders: list[Order] = field(default_factory=list)
    """The latest, in order of time."""
    refunds: dict[str, Refunded] = field(default_factory=dict)
    """By refund id and source (`refund_key`); in rows of version 1 by refund id alone."""
    cancelled: dict[str, int] = field(default_factory=dict)
    """Order id -> when it was last cancelled."""
    older: Sums | None = None
    """Sums over the orders that are no longer kept one by one."""
    sums: Sums = field(default_factory=Sums)
    """Sums over all orders."""
    event_at_ms: int = 0
    """The time of the last purchase event."""
    event_id: str = ""
    """Its id."""
    cancelled_by: dict[str, dict[str, int]] = field(default_factory=dict)
    """Order id -> mark of a source -> when that source last cancelled it; in rows of version 1 any source
    did."""
    orders_gone_ms: int = 0
    """The latest cancelled order that is no longer kept one by one; 0: none is."""
    refunds_gone_ms: int = 0
    """The latest refund that is no longer kept one by one because there were too many; 0: none is."""

    @property
    def net_minor(self) -> int:
        """Money paid less refunds, never below zero."""
        return max(0, self.sums.gross_minor - self.sums.refunded_minor)

    @property
    def gone_ms(self) -> int:
        """The latest order that is no longer kept one by one; 0: all are."""
        return max(self.older.last_at_ms, self.orders_gone_ms) if self.older else 0

    def copy(self) -> Buying:
        """An independent copy; orders and refunds are never changed in place, so both have the same ones."""
        return replace(
            self,
            orders=self.orders[:],
            refunds=self.refunds.copy(),
            cancelled=self.cancelled.copy(),
            older=self.older.copy() if self.older else None,
            sums=self.sums.copy(),
            cancelled_by={number: sources.copy() for number, sources in self.cancelled_by.items()},
        )


def with_purchase(buying: Buying, at_ms: int, purchase: Purchase, source: str, meaning: Meaning) -> bool:
    """Add a purchase; True if it corrects the past: it is late, or a new version of a known order.

    `source` is the mark of the event's source. Another order of the same instant is neither, whichever of
    them is added first.
    """
    order = as_order(at_ms, purchase, source, meaning.money)
    orders = buying.orders
    if len(orders) >= MANY_ORDERS and type(orders) is list:
        orders = buying.orders = ManyOrders(orders)
    known = known_order(orders, order.order_id, source)
    latest_ms = orders[-1].at_ms if orders else at_ms
    newest = not orders or order > orders[-1]
    if known is None and newest and not _corrected(buying, order.order_id):
        buying.currency = buying.currency or order.currency
        orders.append(order)
        buying.sums.add(order, 0, buying.currency, meaning)
        if len(orders) > ORDERS_KEPT:
            _move_to_older(buying, meaning)
        return False
    if known is not None:
        orders.remove(known)
        order = max(of_source(known, source), order)
    insort(orders, order)
    while len(orders) > ORDERS_KEPT:
        _move_to_older(buying, meaning)
    recompute(buying, meaning)
    return at_ms < latest_ms or known is not None


def of_source(order: Order, source: str) -> Order:
    """The order with a source, if it had none (rows of version 1)."""
    return order if order.source else replace(order, source=source)


def _corrected(buying: Buying, order_id: str) -> bool:
    """Whether this order's cancellation or refund arrived before it, or refunds wait for a first order's
    currency."""
    return _is_mentioned(buying, order_id) or bool(buying.refunds and not buying.sums.orders)


def _is_mentioned(buying: Buying, order_id: str) -> bool:
    """Whether a cancellation or refund that is kept names an order of this number, of whatever source."""
    if order_id in buying.cancelled:
        return True
    refunds = buying.refunds
    return bool(refunds) and any(back.order_id == order_id for back in refunds.values())


def as_order(at_ms: int, purchase: Purchase, source: str, money: Exchange) -> Order:
    """What is kept of a purchase; its money as it counts. `source` is the mark of its event's source."""
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
        (1 if one.category else 0) if one else len({product.category for product in products} - {None, ""}),
        shared(currency),
        source,
    )


def refund_key(refund_id: str, source: str) -> str:
    """The key of a refund in `Buying.refunds`: its id and the mark of its source, on two lines."""
    return f"{refund_id}\n{source}"


def as_refunded(at_ms: int, refund: Refund, source: str, money: Exchange) -> Refunded:
    """What is kept of a refund; its money as it counts."""
    refund_minor, currency = money.counted(refund.refund_minor, refund.currency)
    return Refunded(refund.order_id, refund_minor, at_ms, currency, source)


def known_refund(buying: Buying, refund_id: str, source: str) -> Refunded | None:
    """The kept refund of this id and source; one of a row of version 1 has any source."""
    known = buying.refunds.get(refund_key(refund_id, source))
    if known is None and (unsourced := buying.refunds.get(refund_id)) and not unsourced.source:
        return replace(unsourced, source=source)
    return known


def with_refund(buying: Buying, at_ms: int, refund: Refund, source: str, meaning: Meaning) -> None:
    """Take a refund off its order, as of the order's own time. A refund counts once by its id and source."""
    back = as_refunded(at_ms, refund, source, meaning.money)
    known = known_refund(buying, refund.refund_id, source)
    buying.refunds.pop(refund.refund_id, None)
    buying.refunds[refund_key(refund.refund_id, source)] = first_refund(known, back)
    if len(buying.refunds) > REFUNDS_KEPT:
        _move_refund_to_older(buying, meaning)
    recompute(buying, meaning)


def first_refund(known: Refunded | None, back: Refunded) -> Refunded:
    """Of two refunds with one id the earlier counts, in whichever order they arrive."""
    return back if known is None else min(known, back, key=_earlier_first)


def _earlier_first(back: Refunded) -> tuple[int, int, str, str]:
    return back.at_ms, back.refund_minor, back.order_id, back.currency


def with_cancellation(
    buying: Buying, at_ms: int, cancellation: Cancellation, source: str, meaning: Meaning
) -> None:
    """Cancel an order, which may be known already or arrive later: as if it had never been placed.

    Where it was placed, or paid, after that, it counts: some shops cancel what is not paid in time.
    """
    number = cancellation.order_id
    by_source = buying.cancelled_by.get(number)
    if by_source is None:
        before_ms = buying.cancelled.get(number)
        by_source = buying.cancelled_by[number] = {} if before_ms is None else {ANY_SOURCE: before_ms}
    by_source[source] = max(at_ms, by_source.get(source, at_ms))
    if len(by_source) > CANCELLING_SOURCES_KEPT:
        del by_source[min(by_source, key=lambda name: (by_source[name], name))]
    buying.cancelled[number] = max(at_ms, buying.cancelled.get(number, at_ms))
    if len(buying.cancelled) > REFUNDS_KEPT:
        oldest = min(buying.cancelled, key=lambda order_id: (buying.cancelled[order_id], order_id))
        del buying.cancelled[oldest]
        buying.cancelled_by.pop(oldest, None)
    recompute(buying, meaning)


def purchase_days(buying: Buying, calendar: Calendar) -> list[int]:
    """Distinct days with a purchase among the kept orders, as day numbers since 1970-01-01, ascending."""
    orders = live_orders(buying.orders, buying.cancelled, buying.cancelled_by)
    return sorted(calendar.local_days([order.at_ms for order in orders]))


def _corrections(buying: Buying) -> Corrections:
    return Corrections(buying.orders, buying.refunds, buying.cancelled, buying.cancelled_by)


def _move_to_older(buying: Buying, meaning: Meaning) -> None:
    """Move the oldest kept order into the sums of older ones, where nothing can correct it any more."""
    order = buying.orders[0]
    corrections = _corrections(buying) if _is_mentioned(buying, order.order_id) else None
    del buying.orders[0]
    older = buying.older = buying.older or Sums()
    if corrections is not None and order_key(order) in corrections.cancelled:
        buying.orders_gone_ms = max(buying.orders_gone_ms, order.at_ms)
    else:
        if order.at_ms < older.last_at_ms:
            # It arrived after later orders had been moved: counted as if bought with the last of them.
            order = replace(order, at_ms=older.last_at_ms)
        back_minor = corrections.refunded_minor(order) if corrections else 0
        older.add(order, back_minor, buying.currency, meaning)
        older.foreign_refunds += corrections.foreign_refunds(order) if corrections else 0
    if corrections is not None:
        for key in corrections.refunds.get(order_key(order), ()):
            del buying.refunds[key]


def _move_refund_to_older(buying: Buying, meaning: Meaning) -> None:
    """Move the oldest kept refund into the sums of older orders, as far as it counted while it was kept."""
    refunds, older = buying.refunds, buying.older or Sums()
    oldest = min(refunds, key=lambda refund_id: (refunds[refund_id].at_ms, refund_id))
    before = _corrections(buying)
    order = next(
        (order for order in buying.orders if oldest in before.refunds.get(order_key(order), ())), None
    )
    back = refunds.pop(oldest)
    buying.refunds_gone_ms, buying.older = max(buying.refunds_gone_ms, back.at_ms), older
    counts = oldest in before.loose if order is None else order_key(order) not in before.cancelled
    if not counts:
        return
    if back.currency != (order.currency if order else buying.currency or back.currency):
        older.foreign_refunds += 1
    if back.currency != buying.currency:
        return
    counted_minor, at_ms = back.refund_minor, back.at_ms
    if order is not None:
        counted_minor = before.refunded_minor(order) - _corrections(buying).refunded_minor(order)
        at_ms = order.at_ms
    older.take_off(counted_minor, at_ms, meaning)
    if order and meaning.calendar.local_day(at_ms) == buying.sums.first_day:
        older.first_day_minor -= counted_minor


def recompute(buying: Buying, meaning: Meaning) -> None:
    """Compute the sums again from all that is kept: exact after any correction."""
    corrections = _corrections(buying)
    live = live_orders(buying.orders, buying.cancelled, buying.cancelled_by)
    if buying.older is None or not buying.older.orders:
        buying.currency = live[0].currency if live else ""
    sums = buying.older.copy() if buying.older else Sums()
    for order in live:
        sums.add(order, corrections.refunded_minor(order), buying.currency, meaning)
        sums.foreign_refunds += corrections.foreign_refunds(order)
    for back in corrections.loose.values():
        if sums.orders and back.currency != buying.currency:
            sums.foreign_refunds += 1
        elif sums.orders:
            sums.take_off(back.refund_minor, back.at_ms, meaning)
    buying.sums = sums
