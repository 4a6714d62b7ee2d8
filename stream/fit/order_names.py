"""Which order an event is about: numbers of orders are unique within their source alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

from stream.core.events.event import PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.facts.memory.order_match import source_mark

Kept = TypeVar("Kept")
"""What is kept of an order."""


def order_name(event: PurchaseCompleted | PurchaseCancelled | PurchaseRefunded) -> str:
    """An order by its number and source: a number is unique within its source alone."""
    return f"{event.data.order_id}\n{source_mark(event.source)}"


def name_meant(orders: Collection[str], name: str) -> str | None:
    """Which of a customer's orders a cancellation or refund of this name is about: that of the event's own
    source, else the only one of its number."""
    if name in orders:
        return name
    number = _number(name)
    named = [one for one in orders if _number(one) == number]
    return named[0] if len(named) == 1 else None


class CancelledOrders(Generic[Kept]):
    """The orders of one customer that do not count, as the worker's profile has it (core/facts/memory).

    A cancellation is about what was placed before it, and of the orders with its number about that of its own
    source, else about the only one there is: a second cancellation never takes the order of another source,
    and one that could be about two orders takes none. What is placed, or paid, after its cancellation counts.
    """

    def __init__(self) -> None:
        self.gone: dict[str, Kept] = {}
        """Order (`order_name`) -> what was kept of it."""
        self._cancelled: dict[str, dict[str, int]] = {}
        """Order number -> cancellation by its name -> its place among what is counted here."""
        self._placed: dict[str, int] = {}
        """Order that was placed after a cancellation of its number -> its place."""
        self._count = 0

    def place(self, name: str, orders: dict[str, Kept]) -> None:
        """An order was just put into `orders`, those that count."""
        self.gone.pop(name, None)
        if (number := _number(name)) in self._cancelled:
            self._count += 1
            self._placed[name] = self._count
            self._settle(number, orders)

    def cancel(self, name: str, orders: dict[str, Kept]) -> None:
        """Take the order that a cancellation of this name is about out of `orders`."""
        self._count += 1
        number = _number(name)
        self._cancelled.setdefault(number, {})[name] = self._count
        self._settle(number, orders)

    def meant(self, name: str, orders: Mapping[str, Kept]) -> str | None:
        """Which order, counting or gone, an event of this name is about."""
        if name in orders or name in self.gone:
            return name
        return name_meant([*self.gone, *orders], name)

    def has(self, name: str) -> bool:
        """Whether a cancellation had this very name, whatever it was about."""
        return name in self._cancelled.get(_number(name), ())

    def _settle(self, number: str, orders: dict[str, Kept]) -> None:
        gone: set[str] = set()
        for name, place in self._cancelled[number].items():
            meant = self.meant(name, orders)
            if meant is not None and self._placed.get(meant, 0) < place:
                gone.add(meant)
        for name in gone & orders.keys():
            self.gone[name] = orders.pop(name)
        for name in [one for one in self.gone if _number(one) == number and one not in gone]:
            orders[name] = self.gone.pop(name)


class Cancellations(dict[str, CancelledOrders[Kept]]):
    """Customer -> their cancelled orders, where anything was cancelled."""

    def place(self, event: PurchaseCompleted, orders: dict[str, Kept]) -> None:
        """An order was just put into those of its customer that count."""
        if (cancelled := self.get(event.subject)) is not None:
            cancelled.place(order_name(event), orders)

    def cancel(self, event: PurchaseCancelled, orders: dict[str, Kept]) -> None:
        """Take the order that a cancellation is about out of those of its customer."""
        self.setdefault(event.subject, CancelledOrders()).cancel(order_name(event), orders)


def _number(name: str) -> str:
    return name.rpartition("\n")[0]
