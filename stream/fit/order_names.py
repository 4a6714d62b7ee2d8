"""Which order an event is about: numbers of orders are unique within their source alone."""

from __future__ import annotations

from collections.abc import Iterable

from stream.core.events.event import PurchaseCancelled, PurchaseCompleted
from stream.core.facts.memory.order_match import source_mark


def order_name(event: PurchaseCompleted | PurchaseCancelled) -> str:
    """An order by its number and source: a number is unique within its source alone."""
    return f"{event.data.order_id}\n{source_mark(event.source)}"


def cancelled_name(orders: Iterable[str], event: PurchaseCancelled) -> str | None:
    """Which of a customer's orders is cancelled: that of the event's source, else the only one of its
    number."""
    own = order_name(event)
    named = [name for name in orders if name.rpartition("\n")[0] == event.data.order_id]
    return own if own in named else named[0] if len(named) == 1 else None
