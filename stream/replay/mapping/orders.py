"""Lines of one order become one purchase; its returned lines wait to be matched with what was bought."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct

from stream.core.event import PurchaseCompleted
from stream.core.payload import Campaign, Product, Purchase
from stream.replay.mapping.lines import Line, Refusal
from stream.replay.mapping.names import event_id, instant

Refuse = Callable[[Line, Refusal], None]


class Draft(Struct, frozen=True, array_like=True):
    """An order, or what came back of one, of one customer."""

    customer: str
    time_ms: int
    returned: bool
    order: str
    currency: str
    lines: list[Line]
    extras: dict[str, Any]


def drafts(lines: Iterable[Line], refuse: Refuse, *, row_is_order: bool) -> Iterator[Draft]:
    """Lines come sorted by order and customer; an order has one currency, its first line's."""
    for _, group in groupby(lines, key=lambda line: (line.order, line.customer)):
        kept = list(group)
        first = kept[0]
        for line in kept:
            if line.currency != first.currency:
                refuse(line, Refusal("currency_differs", f"{line.currency} in an order in {first.currency}"))
        kept = [line for line in kept if line.currency == first.currency]
        bought = [line for line in kept if not line.returned]
        if row_is_order:
            bought = _first_row(bought, refuse)
        if bought:
            yield _draft(bought)
        for part in _refunded_parts([line for line in kept if line.returned]):
            yield _draft(part)


def _first_row(lines: list[Line], refuse: Refuse) -> list[Line]:
    """Where a row is a whole order, a second row of that order is the same purchase told again."""
    rows = [(line.file, line.number) for line in lines]
    for line, row in zip(lines, rows, strict=True):
        if row != rows[0]:
            refuse(line, Refusal("order_repeated", f"first told on line {rows[0][1]}"))
    return [line for line, row in zip(lines, rows, strict=True) if row == rows[0]]


def _refunded_parts(lines: list[Line]) -> Iterator[list[Line]]:
    """Refunds that are told as such are events of their own; a credit note's lines belong together."""
    for _, part in groupby(lines, key=lambda line: (line.file, line.number) if line.direct else None):
        yield list(part)


def _draft(lines: list[Line]) -> Draft:
    first = lines[0]
    at = min(line.time_ms for line in lines)
    return Draft(first.customer, at, first.returned, first.order, first.currency, lines, _extras(lines))


def _extras(lines: list[Line]) -> dict[str, Any]:
    """What is said of the whole order, by the first line that says it."""
    said: dict[str, Any] = {}
    for line in lines:
        for field, value in (line.extras or {}).items():
            said.setdefault(field, value)
    return said


def purchase(draft: Draft, source: str) -> PurchaseCompleted:
    """What was paid is the order's own total where a column gives it, else what its lines add up to."""
    said = draft.extras
    subtotal = sum(line.total_minor for line in draft.lines)
    added = said.get("tax", 0) + said.get("shipping", 0) - said.get("discount", 0)
    return PurchaseCompleted(
        id=said.get("id") or event_id("purchase", draft.order, draft.customer),
        source=source,
        subject=draft.customer,
        time=instant(draft.time_ms),
        data=Purchase(
            order_id=draft.order,
            total_minor=said.get("order_total", max(subtotal + added, 0)),
            currency=draft.currency,
            products=products(draft.lines),
            tax_minor=said.get("tax"),
            shipping_minor=said.get("shipping"),
            discount_minor=said.get("discount", 0),
            coupon=said.get("coupon"),
            affiliation=said.get("affiliation"),
            channel=said.get("channel"),
            payment_method=said.get("payment_method"),
            campaign=campaign(said),
        ),
    )


def products(lines: Iterable[Line]) -> tuple[Product, ...]:
    return tuple(
        Product(
            product_id=line.product,
            quantity=line.quantity,
            price_minor=line.unit_minor,
            category=line.category,
            brand=line.brand,
            name=line.name,
        )
        for line in lines
        if line.product
    )


def campaign(said: dict[str, Any]) -> Campaign | None:
    name = said.get("campaign_id") or said.get("campaign_name")
    if not name:
        return None
    return Campaign(
        id=name,
        name=said.get("campaign_name"),
        source=said.get("campaign_source"),
        medium=said.get("campaign_medium"),
    )
