"""The purchases of a generated customer, and their cancellations and refunds, from the planned life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from stream.core.events.event import Event, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.events.payload import Cancellation, Product, Purchase, Refund
from stream.importing.generated.shop import CATALOGUE, DAY, SOURCE, Customer, Shop

GROWTH = 2.5
"""Factor on the purchase rate of a growing customer, reached after GROWTH_DAYS."""
GROWTH_DAYS = 150.0
TROUBLE_PACE = 0.7
"""Factor on the purchase rate of a customer in trouble."""
DISCOUNTED_ORDERS_SHARE = 0.25
"""Share of orders with a discount of a tenth."""
LINES_MAX = 8
SHIPPING_MINOR, FREE_SHIPPING_FROM_MINOR = 490, 5_000
"""Cents."""
REFUND_FACTOR_IN_TROUBLE = 8
"""Factor on the share of refunds while quality or returns are the trouble."""


def whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def order_times(customer: Customer, shop: Shop, random: Random) -> Iterator[datetime]:
    """A Poisson process from the first order to the end of the life; its rate follows `pace`."""
    at, ends = customer.acquired_at, min(customer.dies_at, shop.ends)
    while at < ends:
        yield whole_seconds(at)
        gap = random.expovariate(customer.orders_per_day * pace(customer, at)) * DAY
        at += max(gap, timedelta(hours=1))


def pace(customer: Customer, at: datetime) -> float:
    """Factor on the customer's usual purchase rate."""
    if in_trouble(customer, at):
        return TROUBLE_PACE
    if customer.grows_from is not None and at > customer.grows_from:
        return 1 + (GROWTH - 1) * min((at - customer.grows_from) / (GROWTH_DAYS * DAY), 1.0)
    return 1.0


def in_trouble(customer: Customer, at: datetime) -> bool:
    """Whether the planted trouble of a customer lasts at this time."""
    trouble = customer.trouble
    return trouble is not None and trouble.from_at <= at < trouble.to_at


def generated_purchase(customer: Customer, at: datetime, number: int, random: Random) -> PurchaseCompleted:
    """Products mostly from the categories the customer likes, until a drawn order value is reached."""
    target = random.gammavariate(4.0, customer.order_minor * pace(customer, at) ** 0.3 / 4.0)
    lines: list[Product] = []
    subtotal = 0
    while not lines or (subtotal < target and len(lines) < LINES_MAX):
        line = _line(customer, random)
        lines.append(line)
        subtotal += line.price_minor * line.quantity
    discount = subtotal // 10 if random.random() < DISCOUNTED_ORDERS_SHARE else 0
    shipping = SHIPPING_MINOR if subtotal < FREE_SHIPPING_FROM_MINOR else 0
    order = f"{customer.id}-order-{number}"
    return PurchaseCompleted(
        id=order,
        source=SOURCE,
        subject=customer.id,
        time=at,
        data=Purchase(
            order_id=order,
            total_minor=subtotal - discount + shipping,
            currency="EUR",
            products=tuple(lines),
            subtotal_minor=subtotal,
            shipping_minor=shipping,
            discount_minor=discount,
            channel=random.choice(("web", "web", "app")),
        ),
    )


def _line(customer: Customer, random: Random) -> Product:
    category = random.choice(customer.likes if random.random() < 0.85 else tuple(CATALOGUE))
    place = random.randrange(len(CATALOGUE[category]))
    return Product(
        product_id=f"{category.rpartition('/')[2].lower()}-{place}",
        quantity=random.choice((1, 1, 1, 2)),
        price_minor=CATALOGUE[category][place],
        category=category,
    )


def cancellation_or_refund(
    shop: Shop, customer: Customer, purchase: PurchaseCompleted, random: Random
) -> Event | None:
    """Some orders are cancelled within the hour, others get one product refunded within three weeks."""
    chance = random.random()
    if chance < shop.cancelled_share:
        return _cancellation(purchase, random)
    faulty = _is_faulty(customer, purchase)
    refunded_share = shop.refund_share * (REFUND_FACTOR_IN_TROUBLE if faulty else 1)
    at = whole_seconds(purchase.time + random.uniform(2, 21) * DAY)
    if chance >= shop.cancelled_share + refunded_share or at >= shop.ends:
        return None
    return _refund(purchase, at, random, faulty=faulty)


def _is_faulty(customer: Customer, purchase: PurchaseCompleted) -> bool:
    trouble = customer.trouble
    return (
        trouble is not None
        and trouble.theme in {"quality", "returns"}
        and in_trouble(customer, purchase.time)
    )


def _cancellation(purchase: PurchaseCompleted, random: Random) -> Event:
    return PurchaseCancelled(
        id=f"{purchase.id}-cancelled",
        source=SOURCE,
        subject=purchase.subject,
        time=whole_seconds(purchase.time + random.uniform(0.1, 0.9) * timedelta(hours=1)),
        data=Cancellation(order_id=purchase.data.order_id, reason="changed_mind"),
    )


def _refund(purchase: PurchaseCompleted, at: datetime, random: Random, *, faulty: bool) -> Event:
    order = purchase.data
    line = random.choice(order.products)
    return PurchaseRefunded(
        id=f"{purchase.id}-refunded",
        source=SOURCE,
        subject=purchase.subject,
        time=at,
        data=Refund(
            refund_id=f"{order.order_id}-refund",
            order_id=order.order_id,
            refund_minor=min(line.price_minor * line.quantity, order.total_minor),
            currency=order.currency,
            products=(line,),
            reason="faulty" if faulty else "not_wanted",
            fault="seller" if faulty else "buyer",
        ),
    )
