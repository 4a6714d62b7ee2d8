"""Returns find their order: the customer's latest earlier order of that product with enough pieces left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from stream.core.events.event import Event, PurchaseRefunded
from stream.core.events.payload import Refund
from stream.importing.files.event_ids import event_id, instant
from stream.importing.files.mapping import Mapping
from stream.importing.files.orders.lines import Line, Refusal
from stream.importing.files.orders.orders import Draft, Refuse, products, purchase

UNMATCHED = "unmatched-"
"""Begins the order id of a refund whose order is not known; the credit note's own number follows."""


class Held(Struct):
    """Pieces of one product that a customer still holds from one order."""

    order: str
    currency: str
    pieces: int


def settled(history: Iterable[Draft], mapping: Mapping, refuse: Refuse, *, returns: bool) -> Iterator[Event]:
    """One customer's purchases and refunds; drafts come sorted by time, and bought before returned."""
    held: dict[str, list[Held]] = defaultdict(list)
    for draft in history:
        if not draft.returned:
            for line in draft.lines if returns else ():
                held[line.product].append(Held(draft.order, draft.currency, line.quantity))
            yield purchase(draft, mapping.source)
            if draft.extras.get("refunded"):
                yield _refunded_on_the_order(draft, mapping)
        else:
            yield from _refunds(draft, held, mapping, refuse)


def _refunds(draft: Draft, held: dict[str, list[Held]], mapping: Mapping, refuse: Refuse) -> Iterator[Event]:
    """One refund for each order that the returned lines belong to."""
    by_order: dict[str, list[Line]] = defaultdict(list)
    for line in draft.lines:
        order = draft.order if line.direct else _order_of(line, held[line.product], mapping)
        if order is None and mapping.returns.unmatched == "reject":
            refuse(
                line, Refusal("return_unmatched", f"no earlier order with {line.quantity} of {line.product}")
            )
            continue
        by_order[order or UNMATCHED + draft.order].append(line)
    for order, lines in by_order.items():
        yield _refund(draft, order, lines, mapping)


def _order_of(line: Line, held: list[Held], mapping: Mapping) -> str | None:
    """The order that a credit note names by its own number comes first, then the latest."""
    named = line.order.removeprefix(mapping.returns.order_prefix)
    fits = [one for one in held if one.pieces >= line.quantity and one.currency == line.currency]
    if not fits:
        return None
    chosen = next((one for one in fits if one.order == named), fits[-1])
    chosen.pieces -= line.quantity
    return chosen.order


def _refund(draft: Draft, order: str, lines: list[Line], mapping: Mapping) -> Event:
    said = draft.extras
    direct = lines[0].direct
    whole = said.get("refunded", said.get("order_total")) if direct else None
    name = (said.get("id") if direct else None) or event_id("refund", draft.order, draft.customer, order)
    back = Refund(
        refund_id=name,
        order_id=order,
        refund_minor=sum(line.total_minor for line in lines) if whole is None else whole,
        currency=draft.currency,
        products=products(lines),
        reason=said.get("reason"),
    )
    return _refunded(draft, back, mapping)


def _refunded_on_the_order(draft: Draft, mapping: Mapping) -> Event:
    """Some exports tell an order's refund only as an amount beside it; when it was is not told."""
    back = Refund(
        refund_id=event_id("refund", draft.order, draft.customer, "amount"),
        order_id=draft.order,
        refund_minor=draft.extras["refunded"],
        currency=draft.currency,
    )
    return _refunded(draft, back, mapping)


def _refunded(draft: Draft, back: Refund, mapping: Mapping) -> Event:
    return PurchaseRefunded(
        id=back.refund_id,
        source=mapping.source,
        subject=draft.customer,
        time=instant(draft.time_ms),
        data=back,
    )
