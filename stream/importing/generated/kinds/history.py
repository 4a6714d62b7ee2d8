"""The purchases of a shop of one kind in time order, and its truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import BinaryIO

import msgspec

from stream.core.events.event import Event, PurchaseCompleted
from stream.core.events.payload import Product, Purchase
from stream.importing.event_order import event_order
from stream.importing.generated.disorder import Disorder, disordered
from stream.importing.generated.kinds.buyers import Buyer, KnownShop
from stream.importing.generated.kinds.order_times import order_times
from stream.importing.generated.kinds.plans import BEGINS, ENDS, PLANS, KindOfShop, planned_buyer
from stream.importing.generated.shop import CATALOGUE, SOURCE

ORDER_SHAPE = 4.0
"""Of the gamma distribution of a customer's order values: standard deviation half the mean."""


def kind_events(
    kind: KindOfShop, seed: int, customers: int | None, disorder: Disorder, truth: BinaryIO | None
) -> Iterator[Event]:
    """All purchases of the shop in order of arrival; `truth` is the open file for a KnownShop (JSON), if any.

    `customers` are drawn, by default as many as the kind says; those without an order do not exist.
    """
    shop, events = kind_history(kind, seed, customers)
    if truth is not None:
        truth.write(msgspec.json.format(msgspec.json.encode(shop), indent=1))
    return iter(events) if disorder == Disorder() else disordered(events, disorder, seed)


def kind_history(
    kind: KindOfShop, seed: int = 1, customers: int | None = None
) -> tuple[KnownShop, list[Event]]:
    """The shop with its true parameters, and its purchases in time order."""
    plan = PLANS[kind]
    buyers: list[Buyer] = []
    events: list[Event] = []
    for number in range(plan.customers if customers is None else customers):
        random = Random(f"{seed}:{kind}:{number}")
        planned = planned_buyer(plan, number, random)
        times = list(order_times(planned.buyer, planned.first_at, ENDS, plan.pace, random))
        if times:
            buyers.append(planned.buyer)
        events += (_purchase(planned.buyer, at, place, random) for place, at in enumerate(times, start=1))
    shop = KnownShop(kind=kind, seed=seed, begins=BEGINS, ends=ENDS, pace=plan.pace, customers=buyers)
    return shop, sorted(events, key=event_order)


def _purchase(buyer: Buyer, at: datetime, number: int, random: Random) -> PurchaseCompleted:
    """One product at a price drawn around the customer's usual spend, in whole cents."""
    category = random.choice(list(CATALOGUE))
    price = max(round(random.gammavariate(ORDER_SHAPE, buyer.order_minor / ORDER_SHAPE)), 1)
    order = f"{buyer.id}-order-{number}"
    line = Product(
        product_id=f"{category.rpartition('/')[2].lower()}-{random.randrange(4)}",
        quantity=1,
        price_minor=price,
        category=category,
    )
    return PurchaseCompleted(
        id=order,
        source=SOURCE,
        subject=buyer.id,
        time=at,
        data=Purchase(order_id=order, total_minor=price, currency="EUR", products=(line,)),
    )
