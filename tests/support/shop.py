"""A small shop whose customers buy and leave as in MBG/NBD: events for the tests of fits and backtests."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from stream.core.events.event import PurchaseCompleted
from stream.core.events.payload import Product, Purchase
from stream.wire import encode_event

OPENING = datetime(2024, 1, 1, tzinfo=UTC)


def purchases(customers=400, seed=5, weeks=60.0, rate_shape=1.0, rate_scale=6.0, leave=(0.6, 4.0)):
    """Events in time order; customers come in the first ten weeks."""
    chance = random.Random(seed)
    found = []
    for number in range(customers):
        at = chance.uniform(0, 10)
        rate, leaves = chance.gammavariate(rate_shape, 1 / rate_scale), chance.betavariate(*leave)
        spend = chance.gammavariate(6, 400)
        while at < weeks:
            found.append((at, number, round(spend * chance.uniform(0.5, 1.5))))
            if chance.random() < leaves:
                break
            at += max(chance.expovariate(rate), 1 / 7)
    found.sort()
    return [_purchase(place, *one) for place, one in enumerate(found)]


def _purchase(place, at, number, cents):
    return PurchaseCompleted(
        id=f"e{place}",
        source="/shop",
        subject=f"c{number}",
        time=OPENING + timedelta(weeks=at),
        data=Purchase(
            order_id=f"o{place}",
            total_minor=cents,
            currency="EUR",
            products=(Product(product_id="p", quantity=1, price_minor=cents),),
        ),
    )


def day_ms(week):
    """Midnight of the day so many weeks after the opening."""
    return round((OPENING + timedelta(weeks=week)).timestamp()) // 86_400 * 86_400_000


def write_events(events, path):
    """Write the events to a file of JSON lines; returns its path."""
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    return path
