"""The shop acted out: every customer's events merged in time order, and the truth to judge rules by."""

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
from stream.importing.generated import life, touches, voice
from stream.importing.generated.shop import CHANNELS, DAY, DRIVERS, Customer, Shop, customers, random_for
from stream.importing.generated.texts import THEMES
from stream.importing.in_time import in_time


class Life(Struct, frozen=True):
    """One customer as planned, and all that happened."""

    customer: Customer
    events: list[Event]


def lives(shop: Shop) -> list[Life]:
    """Everyone's life; costs are not among the events, for they are nobody's."""
    return [Life(customer, _life(customer, shop)) for customer in customers(shop)]


def events(shop: Shop, lived: list[Life]) -> list[Event]:
    """All events and the costs of winning the customers, in time order."""
    told = [event for one in lived for event in one.events]
    told.extend(costs(shop, [one.customer for one in lived]))
    return sorted(told, key=in_time)


def _life(customer: Customer, shop: Shop) -> list[Event]:
    buys, speaks, looks = (random_for(shop, what, customer.id) for what in ("buys", "speaks", "looks"))
    told: list[Event] = [touches.identified(customer, looks)]
    for number, at in enumerate(life.order_times(customer, shop, buys), start=1):
        bought = life.purchase(customer, at, number, buys)
        told.append(bought)
        told.extend(touches.visit_before(bought, looks))
        told.extend(_said(customer, shop, bought, speaks))
        if (undone := life.undone(shop, customer, bought, buys)) is not None:
            told.append(undone)
        if number == 3:
            told.append(touches.joined(customer, at))
    told.extend(touches.idle_visits(customer, shop, looks))
    told.extend(touches.newsletters(customer, shop, looks))
    return [event for event in told if event.time < shop.ends]


def _said(customer: Customer, shop: Shop, bought: PurchaseCompleted, speaks: Random) -> Iterator[Event]:
    line = bought.data.products[0]
    order = voice.Order(bought.data.order_id, customer.id, bought.time, line.product_id, line.category)
    if customer.trouble is not None and life.in_trouble(customer, bought.time):
        return voice.sore(order, speaks, customer.trouble.theme)
    if not shop.drivers and speaks.random() < 0.05:  # noise: trouble that foretells nothing
        return voice.sore(order, speaks, speaks.choice(THEMES))
    return voice.content(order, speaks, shop.review_share)


def costs(shop: Shop, everyone: list[Customer]) -> Iterator[Event]:
    """Each acquisition campaign's bill, at the month's end: the channel's price for each customer won."""
    won = Counter((customer.campaign, customer.channel) for customer in everyone)
    for (campaign, channel), count in sorted(won.items()):
        month = datetime.strptime(campaign[-7:], "%Y-%m").replace(tzinfo=shop.begins.tzinfo)
        ends = (month + 32 * DAY).replace(day=1)
        yield CostRecorded(
            id=f"cost-{campaign}",
            source=life.SOURCE,
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


def truth(shop: Shop, lived: list[Life]) -> dict[str, Any]:
    """What was planted: settings, drivers, campaign costs, and every customer's fate and money."""
    spent: dict[str, int] = defaultdict(int)
    for one in lived:
        spent[one.customer.campaign] += CHANNELS[one.customer.channel][1]
    return {
        "shop": msgspec.to_builtins(shop),
        "drivers": DRIVERS if shop.drivers else {},
        "campaign_cost_minor": dict(sorted(spent.items())),
        "customers": {one.customer.id: _fate(shop, one) for one in lived},
    }


def _fate(shop: Shop, one: Life) -> dict[str, Any]:
    orders = [e for e in one.events if isinstance(e, PurchaseCompleted)]
    refunds = [e.data.refund_minor for e in one.events if isinstance(e, PurchaseRefunded)]
    left = one.customer.dies_at < shop.ends
    return {
        **{k: v for k, v in msgspec.to_builtins(one.customer).items() if k != "id"},
        "dies_at": msgspec.to_builtins(one.customer.dies_at) if left else None,
        "orders": len(orders),
        "last_order_at": msgspec.to_builtins(orders[-1].time) if orders else None,
        "paid_minor": sum(e.data.total_minor for e in orders),
        "refunded_minor": sum(refunds),
        "cancelled": sum(isinstance(e, PurchaseCancelled) for e in one.events),
    }
