"""A shop with an experiment and a planted effect: alerts, deliveries and purchases as on the topics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import rfc3339
from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.policy.arms import HELD_OUT, arm_of
from stream.core.units import DAY_MS, HOUR_MS
from stream.wire import encode_event

BEGINS_MS = 1_735_689_600_000  # 2025-01-01
PERIOD = "2025-01-01"
KINDS = ("at_risk_loyal", "churn_risk", "upgrade_opportunity")
TIERS = ("silver", "gold", "platinum")


class TrialShop(Struct, frozen=True, kw_only=True):
    """What is drawn, and what is planted."""

    customers: int = 4_000
    seed: int = 1
    share: float = 0.2
    salt: str = "s"
    repurchase: float = 0.4
    effect: dict[str, float] = {}
    """Tier -> how many more of its treated customers buy again; 0.06 is six points."""
    weights: tuple[int, int, int] = (5, 3, 2)
    """How many of silver, gold and platinum there are."""
    days: int = 120
    """Alerts come within so many days; the events reach 40 days further."""
    never: frozenset[str] = frozenset()
    """Customers who are never sent anything."""


class Written(Struct):
    """The lines of each kind."""

    alerts: list[bytes]
    deliveries: list[bytes]
    events: list[bytes]


def written(shop: TrialShop) -> Written:
    """Alerts, deliveries and events of a shop, drawn from its seed."""
    random = Random(shop.seed)
    found = Written([], [], [])
    for n in range(shop.customers):
        customer = f"c{shop.seed}-{n}"
        raised_ms = BEGINS_MS + random.randrange(shop.days * DAY_MS)
        tier, kind = random.choices(TIERS, shop.weights)[0], random.choice(KINDS)
        arm = arm_of(customer, "default", f"{shop.salt} {PERIOD}", shop.share)
        stake = round(random.gammavariate(2, 5_000))
        alert = alert_line(customer, raised_ms, arm, shop=shop, tier=tier, kind=kind, stake=stake)
        found.alerts.append(alert)
        moment_ms = raised_ms + random.randrange(12 * HOUR_MS)
        found.deliveries.append(delivery_line(customer, raised_ms, moment_ms, arm, kind=kind))
        effect = 0.0 if arm == HELD_OUT else shop.effect.get(tier, 0.0)
        if random.random() < shop.repurchase + effect:
            at_ms = moment_ms + 1 + random.randrange(30 * DAY_MS)
            found.events.append(purchase_line(customer, at_ms, round(stake * random.uniform(0.2, 0.6)) + 1))
    found.events.append(purchase_line("somebody", BEGINS_MS + (shop.days + 40) * DAY_MS, 100))
    return found


def episode_of(customer: str, raised_ms: int, kind: str) -> str:
    return f"{kind}|{customer}|1|{raised_ms}"


def alert_line(
    customer: str,
    raised_ms: int,
    arm: str,
    *,
    shop: TrialShop | None = None,
    tier: str = "gold",
    kind: str = "at_risk_loyal",
    stake: int = 5_000,
    **more: Any,
) -> bytes:
    """An alert as far as a readout looks at it; `more`: fields of its data that are others."""
    shop = shop or TrialShop()
    data = {
        "kind": kind,
        "state": "raised",
        "customer": {"tier": tier},
        "score": {"value": 0.7},
        "policy": {"id": "default"},
        "value_at_risk": {"p50_minor": stake, "currency": "EUR"},
        "experiment": {"arm": arm, "share": shop.share, "salt": shop.salt, "period": PERIOD},
    } | more
    body = {
        "subject": customer,
        "time": rfc3339(raised_ms),
        "correlationid": episode_of(customer, raised_ms, kind),
        "data": data,
    }
    return json.dumps(body).encode()


def delivery_line(
    customer: str, raised_ms: int, at_ms: int, arm: str, *, kind: str = "at_risk_loyal", **more: Any
) -> bytes:
    """What became of it: accepted, or held out at the moment at which it would have been sent."""
    held_out = arm == HELD_OUT
    data = {
        "alert_id": f"a-{customer}",
        "endpoint": "crm",
        "outcome": "suppressed" if held_out else "accepted",
        "reason": "holdout" if held_out else "",
        "attempts": 0 if held_out else 1,
        "arm": arm,
        "at": rfc3339(at_ms),
        "sent_at": rfc3339(at_ms),
        "kind": kind,
        "state": "raised",
        "episode": episode_of(customer, raised_ms, kind),
    } | more
    return json.dumps({"subject": customer, "data": data}).encode()


def purchase_line(customer: str, at_ms: int, minor: int, currency: str = "EUR", order: str = "") -> bytes:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    name = order or f"o-{customer}-{at_ms}"
    line = pl.Product(product_id="p", quantity=1, price_minor=minor)
    data = pl.Purchase(order_id=name, total_minor=minor, currency=currency, products=(line,))
    event = ev.PurchaseCompleted(id=name, source="/shop", subject=customer, time=when, data=data)
    return encode_event(event)


def in_files(found: Written, folder: Path) -> tuple[Path, Path, Path]:
    """Files of events, alerts and deliveries."""
    paths = folder / "events.jsonl", folder / "alerts.jsonl", folder / "deliveries.jsonl"
    for path, lines in zip(paths, (found.events, found.alerts, found.deliveries), strict=True):
        path.write_bytes(b"".join(line + b"\n" for line in lines))
    return paths


def as_lines(bodies: Sequence[bytes]) -> list[tuple[str, bytes | None]]:
    """Lines with their places."""
    return [(f"file:{number}", body) for number, body in enumerate(bodies, 1)]


def as_events(bodies: Sequence[bytes]) -> list[ev.Event]:
    """Events in order of time."""
    events = [msgspec.json.decode(body, type=ev.PurchaseCompleted) for body in bodies]
    return sorted(events, key=lambda event: event.time)
