"""The lines of one order become one draft of a purchase; its returned lines become drafts of refunds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct, structs

from stream.core.events.event import PurchaseCompleted
from stream.core.events.payload import Campaign, Product, Purchase
from stream.importing.files.events.event_ids import event_id, event_time
from stream.importing.files.events.order_lines import LineRejection, OrderLine
from stream.importing.files.events.repeats import Reject, lines_of_first_file


class OrderDraft(Struct, frozen=True, array_like=True):
    """One order of a customer, or returned lines that were booked together."""

    customer: str
    time_ms: int
    returned: bool
    order: str
    currency: str
    lines: list[OrderLine]
    extras: dict[str, Any]


def order_drafts(
    orders: Iterable[list[OrderLine]], reject: Reject, *, row_is_order: bool
) -> Iterator[OrderDraft]:
    """Drafts from the lines of one order at a time. The currency of the first line is that of the order.

    `row_is_order`: a row holds a whole order and its lines are the products in it.
    """
    for every_line in orders:
        lines = every_line
        if lines[0].file != lines[-1].file:
            lines = lines_of_first_file(lines, reject)
        if len(lines) == 1 and (lines[0].returned or lines[0].total_minor >= 0):
            yield _draft(lines)
            continue
        currency = lines[0].currency
        for line in lines:
            if line.currency != currency:
                reject(line, LineRejection("currency_differs", f"{line.currency} in an order in {currency}"))
        kept = [line for line in lines if line.currency == currency]
        bought = [line for line in kept if not line.returned]
        if row_is_order:
            bought = _first_row(bought, reject)
        bought, credited = _split_credit(bought)
        if bought:
            yield _draft(bought)
        for part in _refunded_parts([line for line in kept if line.returned] + credited):
            yield _draft(part)


def _split_credit(bought: list[OrderLine]) -> tuple[list[OrderLine], list[OrderLine]]:
    """Negative amounts lower their order; if that makes it negative, they become a separate credit."""
    if sum(line.total_minor for line in bought) >= 0 or _has_total(bought):
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


def _has_total(lines: list[OrderLine]) -> bool:
    """Whether a column holds the total of the order."""
    return any("order_total" in line.extras for line in lines if line.extras)


def _first_row(lines: list[OrderLine], reject: Reject) -> list[OrderLine]:
    """Where a row is a whole order, a second row of the same order is a repetition and is rejected."""
    rows = [(line.file, line.number) for line in lines]
    for line, row in zip(lines, rows, strict=True):
        if row != rows[0]:
            reject(line, LineRejection("order_repeated", f"first on line {rows[0][1]}"))
    return [line for line, row in zip(lines, rows, strict=True) if row == rows[0]]


def _refunded_parts(lines: list[OrderLine]) -> Iterator[list[OrderLine]]:
    """Each row that is a refund event is one refund; the lines of a credit note are one refund together."""
    for _, part in groupby(lines, key=lambda line: (line.file, line.number) if line.direct else None):
        yield list(part)


def _draft(lines: list[OrderLine]) -> OrderDraft:
    first = lines[0]
    at = first.time_ms if len(lines) == 1 else min([line.time_ms for line in lines])
    extras = first.extras or {} if len(lines) == 1 else _first_extras(lines)
    return OrderDraft(first.customer, at, first.returned, first.order, first.currency, lines, extras)


def _first_extras(lines: list[OrderLine]) -> dict[str, Any]:
    """The fields of the whole order, each from the first line that has it."""
    extras: dict[str, Any] = {}
    for line in lines:
        if not line.extras:
            continue
        for field, value in line.extras.items():
            extras.setdefault(field, value)
    return extras


def purchase_event(draft: OrderDraft, source: str) -> PurchaseCompleted:
    """What was paid is the total of the order where a column has it, else the sum of its lines."""
    totals = [line.total_minor for line in draft.lines]
    total, lowered = sum(totals), -sum([amount for amount in totals if amount < 0])
    return PurchaseCompleted(
        id=draft.extras.get("id") or event_id("purchase", draft.order, draft.customer),
        source=source,
        subject=draft.customer,
        time=event_time(draft.time_ms),
        data=_purchase_with_extras(draft, total, lowered)
        if draft.extras
        else Purchase(
            order_id=draft.order,
            total_minor=total,
            currency=draft.currency,
            products=products(draft.lines),
            discount_minor=lowered,
        ),
    )


def _purchase_with_extras(draft: OrderDraft, total: int, lowered: int) -> Purchase:
    """`total`: sum of the lines. `lowered`: what lines with negative amounts took off, counts as discount."""
    extras = draft.extras
    added = extras.get("tax", 0) + extras.get("shipping", 0) - extras.get("discount", 0)
    return Purchase(
        order_id=draft.order,
        total_minor=extras.get("order_total", max(total + added, 0)),
        currency=draft.currency,
        products=products(draft.lines),
        tax_minor=extras.get("tax"),
        shipping_minor=extras.get("shipping"),
        discount_minor=extras.get("discount", 0) + lowered,
        coupon=extras.get("coupon"),
        affiliation=extras.get("affiliation"),
        channel=extras.get("channel"),
        payment_method=extras.get("payment_method"),
        campaign=_campaign(extras),
    )


def products(lines: Iterable[OrderLine]) -> tuple[Product, ...]:
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


def _campaign(extras: dict[str, Any]) -> Campaign | None:
    name = extras.get("campaign_id") or extras.get("campaign_name")
    if not name:
        return None
    return Campaign(
        id=name,
        name=extras.get("campaign_name"),
        source=extras.get("campaign_source"),
        medium=extras.get("campaign_medium"),
    )
