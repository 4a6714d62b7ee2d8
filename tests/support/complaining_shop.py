"""Loyal customers of a year who complain now: each of them becomes one alert of a loyal customer at risk.

A neighbour buys something at the same time, so that purchases do not count as stalled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.events.event import Event
from stream.importing.event_order import event_order

SHOP = "/shop"
ORDERS = 26
EVERY = timedelta(days=14)
ANGRY = "Terrible. It arrived broken, nobody answers, the worst service ever. I hate it and want a refund."


def order(customer: str, number: int, time: datetime) -> Event:
    """A purchase of 90 dollars."""
    line = pl.Product(product_id="p", quantity=1, price_minor=9_000, category="toys")
    name = f"o-{customer}-{number}"
    data = pl.Purchase(order_id=name, total_minor=9_000, currency="USD", products=(line,))
    return ev.PurchaseCompleted(
        data=data, id=f"{customer}-{number}", source=SHOP, subject=customer, time=time
    )


def loyal_customer(customer: str, until: datetime) -> Iterator[Event]:
    """Orders every two weeks of a year, the last one two days before `until`."""
    for number in range(ORDERS):
        yield order(customer, number, until - timedelta(days=2) - EVERY * (ORDERS - 1 - number))


def complaints(customer: str, time: datetime) -> Iterator[Event]:
    """Two reviews of one star with an angry text, a second apart."""
    for number in range(2):
        at = time + timedelta(seconds=number)
        name = f"{customer}-complaint-{number}"
        review = pl.Review(review_id=name, rating=1, rating_max=5, review_body=ANGRY)
        yield ev.Reviewed(data=review, id=name, source=SHOP, subject=customer, time=at)


def histories(customers: Iterable[str], until: datetime) -> list[Event]:
    """The orders of loyal customers, in order of time."""
    events = [event for customer in customers for event in loyal_customer(customer, until)]
    return sorted(events, key=event_order)


def all_complain(customers: Iterable[str], time: datetime) -> list[Event]:
    """The complaints of customers, and the order of a neighbour, in order of time."""
    events = [order(f"neighbour-{time.timestamp():.0f}", 0, time)]
    events += [event for customer in customers for event in complaints(customer, time)]
    return sorted(events, key=event_order)


def complaining_shop(name: str, customers: int, now: datetime) -> list[Event]:
    """All events of so many customers up to `now`, in order of time."""
    names = [f"{name}-{number}" for number in range(customers)]
    return [*histories(names, now), *all_complain(names, now)]
