"""The history of the generated shop: all events in time order, and the truth to check alerts against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from stream.core.events.event import (
    CostRecorded,
    Event,
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
)
from stream.core.events.payload import Campaign, MarketingCost, Period
from stream.importing.event_order import event_order
from stream.importing.generated import engagement, feedback, purchases
from stream.importing.generated.shop import (
    CHANNELS,
    DAY,
    DRIVERS,
    SOURCE,
    Customer,
    Shop,
    customers,
    random_for,
)
from stream.importing.generated.texts import THEMES

LOYALTY_FROM_ORDER = 3
"""Customers join the loyalty programme with this order."""
NOISE_SHARE = 0.05
"""Without drivers: share of orders with negative feedback that predicts nothing."""


class Life(Struct, frozen=True):
    """A customer as planned, and the events that followed from the plan."""

    customer: Customer
    events: list[Event]


def planned_lives(shop: Shop) -> list[Life]:
    """The lives of all customers; without marketing costs, which belong to a campaign and no customer."""
    return [Life(customer, _life(customer, shop)) for customer in customers(shop)]


def shop_events(shop: Shop, lives: list[Life]) -> list[Event]:
    """The events of all customers and the costs of acquiring them, in time order."""
    events = [event for life in lives for event in life.events]
    events.extend(acquisition_costs(shop, [life.customer for life in lives]))
    return sorted(events, key=event_order)


def _life(customer: Customer, shop: Shop) -> list[Event]:
    buying, speaking, visiting = (random_for(shop, what, customer.id) for what in ("buys", "speaks", "looks"))
    events: list[Event] = [engagement.identified(customer, visiting)]
    for number, at in enumerate(purchases.order_times(customer, shop, buying), start=1):
        purchase = purchases.generated_purchase(customer, at, number, buying)
        events.append(purchase)
        events.extend(engagement.visit_before(purchase, visiting))
        events.extend(_feedback(customer, shop, purchase, speaking))
        undone = purchases.cancellation_or_refund(shop, customer, purchase, buying)
        if undone is not None:
            events.append(undone)
        if number == LOYALTY_FROM_ORDER:
            events.append(engagement.loyalty_joined(customer, at))
    events.extend(engagement.idle_visits(customer, shop, visiting))
    events.extend(engagement.newsletters(customer, shop, visiting))
    return [event for event in events if event.time < shop.ends]


def _feedback(customer: Customer, shop: Shop, purchase: PurchaseCompleted, random: Random) -> Iterator[Event]:
    line = purchase.data.products[0]
    order = feedback.OrderReference(
        purchase.data.order_id, customer.id, purchase.time, line.product_id, line.category
    )
    if customer.trouble is not None and purchases.in_trouble(customer, purchase.time):
        return feedback.unhappy_feedback(order, random, customer.trouble.theme)
    if not shop.drivers and random.random() < NOISE_SHARE:
        return feedback.unhappy_feedback(order, random, random.choice(THEMES))
    return feedback.contented_feedback(order, random, shop.review_share)


def acquisition_costs(shop: Shop, everyone: list[Customer]) -> Iterator[Event]:
    """The cost of each acquisition campaign, at the end of its month: customers times the channel's price."""
    acquired = Counter((customer.campaign, customer.channel) for customer in everyone)
    for (campaign, channel), count in sorted(acquired.items()):
        month = datetime.strptime(campaign[-7:], "%Y-%m").replace(tzinfo=shop.begins.tzinfo)
        ends = (month + 32 * DAY).replace(day=1)
        yield CostRecorded(
            id=f"cost-{campaign}",
            source=SOURCE,
            subject=campaign,
            time=ends,
            data=MarketingCost(
                campaign=Campaign(id=campaign, source=channel),
                period=Period(from_=month, to=ends),
                spend_minor=count * CHANNELS[channel][1],
                currency="EUR",
                channel=channel,
                acquired_count=count,
            ),
        )


def planted_truth(shop: Shop, lives: list[Life]) -> dict[str, Any]:
    """What was planted: settings, drivers, campaign costs, and the life and the money of every customer."""
    spent: dict[str, int] = defaultdict(int)
    for life in lives:
        spent[life.customer.campaign] += CHANNELS[life.customer.channel][1]
    return {
        "shop": msgspec.to_builtins(shop),
        "drivers": DRIVERS if shop.drivers else {},
        "campaign_cost_minor": dict(sorted(spent.items())),
        "customers": {life.customer.id: _customer_truth(shop, life) for life in lives},
    }


def _customer_truth(shop: Shop, life: Life) -> dict[str, Any]:
    orders = [e for e in life.events if isinstance(e, PurchaseCompleted)]
    refunds = [e.data.refund_minor for e in life.events if isinstance(e, PurchaseRefunded)]
    left = life.customer.dies_at < shop.ends
    return {
        **{k: v for k, v in msgspec.to_builtins(life.customer).items() if k != "id"},
        "dies_at": msgspec.to_builtins(life.customer.dies_at) if left else None,
        "orders": len(orders),
        "last_order_at": msgspec.to_builtins(orders[-1].time) if orders else None,
        "paid_minor": sum(e.data.total_minor for e in orders),
        "refunded_minor": sum(refunds),
        "cancelled": sum(isinstance(e, PurchaseCancelled) for e in life.events),
    }
