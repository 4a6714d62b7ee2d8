"""What is known of one order becomes its purchase."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from stream.core.events.event import PurchaseCompleted
from stream.core.events.payload import Campaign, Product, Purchase
from stream.importing.files.events.event_ids import event_id, event_time
from stream.importing.files.events.order_extras import Extras, added_amount
from stream.importing.files.events.order_line import OrderLine


class OrderDraft(Struct, frozen=True, array_like=True):
    """One order of a customer, or returned lines that were booked together."""

    customer: str
    time_ms: int
    returned: bool
    order: str
    currency: str
    sequence: int
    """Number of its first line in the whole input."""
    direct: bool
    """A refund event of the order it names."""
    lines: list[OrderLine]
    """Empty where every line was refused, but the order has a total of its own."""
    extras: Extras
    """Extras of the whole order."""
    per_line: tuple[str, ...]
    """Which of the added amounts of a return (tax, shipping, discount) its lines tell each for itself."""
    cancelled: bool = False
    """The order was cancelled; then `returned` is true as well."""


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
    worth = extras.get("goods_total", total) + added_amount(extras)
    tax = extras.get("tax")
    return Purchase(
        order_id=draft.order,
        total_minor=extras.get("order_total", max(worth, 0)),
        currency=draft.currency,
        products=products(draft.lines),
        tax_minor=None if tax is None or tax < 0 else tax,
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
