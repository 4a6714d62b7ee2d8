"""A history with everything that jobs could disagree about: what is global, what ties, what is no event."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from pathlib import Path
from zlib import crc32

import msgspec

from stream.core.events import event as ev
from stream.core.events.event import Event
from stream.core.events.payload import (
    Campaign,
    Erasure,
    MarketingCost,
    ModelRecord,
    Period,
    Product,
    Purchase,
    Session,
)
from stream.core.model.document import encode_model, sealed
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.model_file import default_model
from stream.wire import encode_event

NOW = "2025-06-30"
"""As of then the last lines lie in the future."""
TIED = "tied-3"
"""A customer who buys together with many others."""


@cache
def hard_lines(customers: int = 40, days: int = 400) -> tuple[bytes, ...]:
    """The lines, in no order of time: a generated shop, and what makes it hard."""
    shop = Shop(seed=7, customers=customers, days=days)
    events = list(shop_events(shop, planned_lives(shop)))
    chance = random.Random(2)
    events += chance.sample(events, 60)
    events += _ties(events[len(events) // 2])
    events += [_erased(events[len(events) * tenth // 10], tenth) for tenth in (2, 5, 9)]
    events += _published(events)
    events += _costs(events[0])
    events += _after_the_last_purchase(events)
    lines = [encode_event(event) for event in events]
    lines += [_as_of(line, "2031-01-01T00:00:00Z") for line in lines[:5]]
    orders = [line for line in lines if b"purchase.completed" in line]
    lines += [line.replace(b'"order_id"', b'"order_name"') for line in orders[::15]]
    lines += [line.replace(b"purchase.completed", b"purchase.dreamt") for line in orders[3::20]]
    lines += [
        b"no JSON",
        b'{"time": 5}',
        b'{"time": "2024-03-01T00:00:00Z"}',
        b'{"subject": "c", "type": "x"}',
    ]
    chance.shuffle(lines)
    return tuple(lines)


def write_hard_history(path: Path, customers: int = 40, days: int = 400) -> Path:
    """The lines as a file."""
    path.write_bytes(b"\n".join(hard_lines(customers, days)) + b"\n")
    return path


def _as_of(line: bytes, time: str) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(line), "time": time, "id": f"later-{crc32(line)}"})


def _ties(middle: Event) -> list[Event]:
    """Forty customers who buy in one and the same millisecond, two of them in two currencies."""
    lines = (Product(product_id="p", quantity=1, price_minor=1_000),)
    return [
        ev.PurchaseCompleted(
            id=f"tie-{number}",
            source=f"/till-{number % 3}",
            subject=f"tied-{number % 40}",
            time=middle.time + timedelta(days=number // 40 * 9),
            data=Purchase(
                order_id=f"tie-{number}",
                total_minor=1_000 + number,
                currency="USD" if number in {7, 8} else "EUR",
                products=lines,
            ),
        )
        for number in range(240)
    ]


def _erased(event: Event, place: int) -> Event:
    return ev.CustomerErased(
        id=f"erased-{place}", source="/crm", subject=event.subject, time=event.time, data=Erasure()
    )


def _published(events: list[Event]) -> list[Event]:
    """Two models for all, a bad one, and ticks of the clock at the instants of events."""
    model = sealed(msgspec.structs.replace(default_model(), name="later", thresholds=None, risk=None))
    records = [encode_model(model), b'{"name": "no model"}', encode_model(default_model())]
    found: list[Event] = [
        ev.ModelPublished(
            id=f"model-{place}",
            source="/fit",
            subject="model",
            time=events[len(events) * tenth // 10].time,
            data=ModelRecord(model=msgspec.Raw(record)),
        )
        for place, (record, tenth) in enumerate(zip(records, (4, 5, 7), strict=True))
    ]
    ticks = [
        ev.ClockTicked(id=f"tick-{at}", source="/clock", subject="clock", time=events[at].time)
        for at in range(100, len(events), len(events) // 7)
    ]
    return [*found, *ticks]


def _costs(first: Event) -> list[Event]:
    """Costs of one campaign under several subjects, one of them a customer's."""
    return [
        ev.CostRecorded(
            id=f"cost-{number}",
            source="/ads",
            subject=subject,
            time=first.time + timedelta(days=number),
            data=MarketingCost(
                campaign=Campaign(id="spring"),
                period=Period(from_=first.time, to=first.time + timedelta(days=9)),
                channel=channel,
                spend_minor=50_000,
                currency="EUR",
            ),
        )
        for number, (subject, channel) in enumerate(
            [("spring", "search"), (first.subject, "mail"), ("b", "social"), ("c", None)]
        )
    ]


def _after_the_last_purchase(events: list[Event]) -> list[Event]:
    """Visits until long after anybody bought: the source of purchases has stalled."""
    last = max(event.time for event in events)
    customers = sorted({event.subject for event in events})[:20]
    return [
        ev.SessionStarted(
            id=f"visit-{number}",
            source="/web",
            subject=customers[number % 20],
            time=last + timedelta(days=number),
            data=Session(session_id=f"s-{number}"),
        )
        for number in range(60)
    ]
