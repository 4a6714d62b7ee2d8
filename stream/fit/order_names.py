"""Which order an event is about: numbers of orders are unique within their source alone."""

from __future__ import annotations

from collections.abc import Collection

from stream.core.events.event import PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.facts.memory.order_match import source_mark


def order_name(event: PurchaseCompleted | PurchaseCancelled | PurchaseRefunded) -> str:
    """An order by its number and source: a number is unique within its source alone."""
    return f"{event.data.order_id}\n{source_mark(event.source)}"


def name_meant(orders: Collection[str], name: str) -> str | None:
    """Which of a customer's orders a cancellation or refund of this name is about: that of the event's own
    source, else the only one of its number."""
    if name in orders:
        return name
    number = name.rpartition("\n")[0]
    named = [one for one in orders if one.rpartition("\n")[0] == number]
    return named[0] if len(named) == 1 else None
