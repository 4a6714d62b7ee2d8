"""Lines of one order become one purchase; its returned lines wait to be matched with what was bought."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct, structs

from stream.core.events.event import PurchaseCompleted
from stream.core.events.payload import Campaign, Product, Purchase
from stream.importing.files.event_ids import event_id, instant
from stream.importing.files.orders.lines import Line, Refusal

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


def drafts(lines: Iterable[list[Line]], refuse: Refuse, *, row_is_order: bool) -> Iterator[Draft]:
    """From the lines of one order and customer at a time; an order has one currency, its first line's."""
    for told in lines:
        if len(told) == 1 and (told[0].returned or told[0].total_minor >= 0):
            yield _draft(told)
            continue
        currency = told[0].currency
        for line in told:
            if line.currency != currency:
                refuse(line, Refusal("currency_differs", f"{line.currency} in an order in {currency}"))
        kept = [line for line in told if line.currency == currency]
        bought = [line for line in kept if not line.returned]
        if row_is_order:
            bought = _first_row(bought, refuse)
        bought, credited = _credited(bought)
        if bought:
            yield _draft(bought)
        for part in _refunded_parts([line for line in kept if line.returned] + credited):
            yield _draft(part)


def _credited(bought: list[Line]) -> tuple[list[Line], list[Line]]:
    """Amounts below zero lower their order; where they are more than all it holds, they are a credit."""
    if sum(line.total_minor for line in bought) >= 0 or _is_told_whole(bought):
        return bought, []
    credit = [
        structs.replace(
            line,
            **{"returned": True, "unit_minor": -line.unit_minor, "total_minor": -line.total_minor},
            rounding=-line.rounding,
        )
        for line in bought
        if line.total_minor < 0
    ]
    return [line for line in bought if line.total_minor >= 0], credit


def _is_told_whole(lines: list[Line]) -> bool:
    """Whether the order says itself what was paid."""
    return any("order_total" in line.extras for line in lines if line.extras)


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
    at = first.time_ms if len(lines) == 1 else min([line.time_ms for line in lines])
    said = first.extras or {} if len(lines) == 1 else _extras(lines)
    return Draft(first.customer, at, first.returned, first.order, first.currency, lines, said)


def _extras(lines: list[Line]) -> dict[str, Any]:
    """What is said of the whole order, by the first line that says it."""
    said: dict[str, Any] = {}
    for line in lines:
        if not line.extras:
            continue
        for field, value in line.extras.items():
            said.setdefault(field, value)
    return said


def purchase(draft: Draft, source: str) -> PurchaseCompleted:
    """What was paid is the order's own total where a column gives it, else what its lines add up to."""
    totals = [line.total_minor for line in draft.lines]
    total, less = sum(totals), -sum([amount for amount in totals if amount < 0])
    return PurchaseCompleted(
        id=draft.extras.get("id") or event_id("purchase", draft.order, draft.customer),
        source=source,
        subject=draft.customer,
        time=instant(draft.time_ms),
        data=_bought(draft, total, less)
        if draft.extras
        else Purchase(
            order_id=draft.order,
            total_minor=total,
            currency=draft.currency,
            products=products(draft.lines),
            discount_minor=less,
        ),
    )


def _bought(draft: Draft, total: int, less: int) -> Purchase:
    """A purchase of which more is said than its lines."""
    said = draft.extras
    added = said.get("tax", 0) + said.get("shipping", 0) - said.get("discount", 0)
    return Purchase(
        order_id=draft.order,
        total_minor=said.get("order_total", max(total + added, 0)),
        currency=draft.currency,
        products=products(draft.lines),
        tax_minor=said.get("tax"),
        shipping_minor=said.get("shipping"),
        discount_minor=said.get("discount", 0) + less,
        coupon=said.get("coupon"),
        affiliation=said.get("affiliation"),
        channel=said.get("channel"),
        payment_method=said.get("payment_method"),
        campaign=campaign(said),
    )


def products(lines: Iterable[Line]) -> tuple[Product, ...]:
    return tuple(
        [
            Product(
                product_id=line.product,
                quantity=line.quantity,
                price_minor=line.unit_minor,
                category=line.category,
                brand=line.brand,
                name=line.name,
            )
            for line in lines
            if line.product and line.unit_minor >= 0
        ]
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
