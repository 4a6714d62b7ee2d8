"""Returns are matched with the customer's latest earlier order that has enough pieces of the product left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from stream.core.events.event import Event, PurchaseRefunded
from stream.core.events.payload import Refund
from stream.importing.files.events.event_ids import event_id, event_time
from stream.importing.files.events.order_lines import LineRejection, OrderLine
from stream.importing.files.events.orders import OrderDraft, products, purchase_event
from stream.importing.files.events.repeats import Reject
from stream.importing.files.mapping.mapping import ColumnMapping

UNMATCHED = "unmatched-"
"""Prefix of the order id of a refund whose order is unknown; the number of the credit note follows."""


class HeldPieces(Struct):
    """Pieces of one product from one order that the customer has not returned yet."""

    order: str
    currency: str
    pieces: int


def matched_events(
    history: Iterable[OrderDraft], mapping: ColumnMapping, reject: Reject, *, returns: bool
) -> Iterator[Event]:
    """The purchases and refunds of one customer, whose drafts are sorted by time, purchases before refunds.

    `returns`: whether there are refunds among them; without any, no pieces are counted.
    """
    held: dict[str, list[HeldPieces]] = defaultdict(list)
    for draft in history:
        if not draft.returned:
            for line in draft.lines if returns else ():
                held[line.product].append(HeldPieces(draft.order, draft.currency, line.quantity))
            yield purchase_event(draft, mapping.source)
            if draft.extras.get("refunded"):
                yield _refund_of_amount(draft, mapping)
        else:
            yield from _refunds(draft, held, mapping, reject)


def _refunds(
    draft: OrderDraft, held: dict[str, list[HeldPieces]], mapping: ColumnMapping, reject: Reject
) -> Iterator[Event]:
    """One refund for each order that the returned lines belong to."""
    by_order: dict[str, list[OrderLine]] = defaultdict(list)
    for line in draft.lines:
        order = draft.order if line.direct else _matching_order(line, held[line.product], mapping)
        if order is None and mapping.returns.unmatched == "reject":
            detail = f"no earlier order with {line.quantity} of {line.product}"
            reject(line, LineRejection("return_unmatched", detail))
            continue
        by_order[order or UNMATCHED + draft.order].append(line)
    for order, lines in by_order.items():
        yield _refund(draft, order, lines, mapping)


def _matching_order(line: OrderLine, held: list[HeldPieces], mapping: ColumnMapping) -> str | None:
    """The order whose number is that of the credit note without its prefix; else the latest that fits."""
    named = line.order.removeprefix(mapping.returns.order_prefix)
    fits = [one for one in held if one.pieces >= line.quantity and one.currency == line.currency]
    if not fits:
        return None
    chosen = next((one for one in fits if one.order == named), fits[-1])
    chosen.pieces -= line.quantity
    return chosen.order


def _refund(draft: OrderDraft, order: str, lines: list[OrderLine], mapping: ColumnMapping) -> Event:
    extras = draft.extras
    direct = lines[0].direct
    amount = extras.get("refunded", extras.get("order_total")) if direct else None
    name = (extras.get("id") if direct else None) or event_id("refund", draft.order, draft.customer, order)
    refund = Refund(
        refund_id=name,
        order_id=order,
        refund_minor=sum(line.total_minor for line in lines) if amount is None else amount,
        currency=draft.currency,
        products=products(lines),
        reason=extras.get("reason"),
    )
    return _refund_event(draft, refund, mapping)


def _refund_of_amount(draft: OrderDraft, mapping: ColumnMapping) -> Event:
    """Some exports have the refund only as an amount on the order; it gets the time of the order."""
    refund = Refund(
        refund_id=event_id("refund", draft.order, draft.customer, "amount"),
        order_id=draft.order,
        refund_minor=draft.extras["refunded"],
        currency=draft.currency,
    )
    return _refund_event(draft, refund, mapping)


def _refund_event(draft: OrderDraft, refund: Refund, mapping: ColumnMapping) -> Event:
    return PurchaseRefunded(
        id=refund.refund_id,
        source=mapping.source,
        subject=draft.customer,
        time=event_time(draft.time_ms),
        data=refund,
    )
