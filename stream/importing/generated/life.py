"""One planned life acted out: the purchases and refunds of a customer, with the story beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from stream.core.events.event import Event, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.events.payload import Cancellation, Product, Purchase, Refund
from stream.importing.generated.shop import CATALOGUE, DAY, Customer, Shop

SOURCE = "/generated"
GROWTH = 2.5
"""How many times more often a growing customer buys once the growth is complete."""
GROWTH_DAYS = 150.0
DISCOUNT_SHARE = 0.25


def whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def order_times(customer: Customer, shop: Shop, random: Random) -> Iterator[datetime]:
    """A Poisson process while alive, slower in trouble, quicker in growth; the first order is the start."""
    at, ends = customer.acquired_at, min(customer.dies_at, shop.ends)
    while at < ends:
        yield whole_seconds(at)
        gap = random.expovariate(customer.orders_per_day * pace(customer, at)) * DAY
        at += max(gap, timedelta(hours=1))


def pace(customer: Customer, at: datetime) -> float:
    """How many times the customer's usual rate."""
    if in_trouble(customer, at):
        return 0.7
    if customer.grows_from is not None and at > customer.grows_from:
        return 1 + (GROWTH - 1) * min((at - customer.grows_from) / (GROWTH_DAYS * DAY), 1.0)
    return 1.0


def in_trouble(customer: Customer, at: datetime) -> bool:
    trouble = customer.trouble
    return trouble is not None and trouble.from_at <= at < trouble.to_at


def purchase(customer: Customer, at: datetime, number: int, random: Random) -> PurchaseCompleted:
    """Lines from the categories the customer likes, until the order's own target is reached."""
    target = random.gammavariate(4.0, customer.order_minor * pace(customer, at) ** 0.3 / 4.0)
    lines: list[Product] = []
    subtotal = 0
    while not lines or (subtotal < target and len(lines) < 8):
        line = _line(customer, random)
        lines.append(line)
        subtotal += line.price_minor * line.quantity
    discount = subtotal // 10 if random.random() < DISCOUNT_SHARE else 0
    shipping = 490 if subtotal < 5_000 else 0
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


def undone(shop: Shop, customer: Customer, bought: PurchaseCompleted, random: Random) -> Event | None:
    """Now and then an order is cancelled within the hour, or (in part) refunded within three weeks."""
    order, chance = bought.data, random.random()
    if chance < shop.cancelled_share:
        at = whole_seconds(bought.time + random.uniform(0.1, 0.9) * timedelta(hours=1))
        return PurchaseCancelled(
            id=f"{bought.id}-cancelled",
            source=SOURCE,
            subject=customer.id,
            time=at,
            data=Cancellation(order_id=order.order_id, reason="changed_mind"),
        )
    trouble = customer.trouble
    sore = (
        trouble is not None and trouble.theme in {"quality", "returns"} and in_trouble(customer, bought.time)
    )
    at = whole_seconds(bought.time + random.uniform(2, 21) * DAY)
    if chance >= shop.cancelled_share + shop.refund_share * (8 if sore else 1) or at >= shop.ends:
        return None
    line = random.choice(order.products)
    return PurchaseRefunded(
        id=f"{bought.id}-refunded",
        source=SOURCE,
        subject=customer.id,
        time=at,
        data=Refund(
            refund_id=f"{order.order_id}-refund",
            order_id=order.order_id,
            refund_minor=min(line.price_minor * line.quantity, order.total_minor),
            currency=order.currency,
            products=(line,),
            reason="faulty" if sore else "not_wanted",
            fault="seller" if sore else "buyer",
        ),
    )
