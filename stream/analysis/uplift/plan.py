"""How many customers must be held out, and for how long, until an effect of some size can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from stream.analysis.statistics.two_arms import smallest_visible_mean, smallest_visible_share
from stream.analysis.uplift.follow import Lives
from stream.analysis.uplift.records import Opening
from stream.core.units import DAY_MS

MONTH_MS = 30 * DAY_MS
MONTHS = (1, 2, 3, 6, 9, 12)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)


class AlertedShop(Struct, frozen=True, kw_only=True):
    """What a plan follows from."""

    alerted: dict[int, int]
    """Months -> different customers who are alerted about within so many."""
    repurchase: float
    """Share who buy again within the window, 0 to 1."""
    money_deviation: float
    """Standard deviation of what a customer pays within the window, in minor units; 0: not known."""
    currency: str = ""


class Option(Struct, frozen=True, kw_only=True):
    """One way to run the experiment."""

    share: float
    months: int
    customers: int
    held_out: int
    visible: float | None
    """The smallest difference of shares that is seen with 80% probability; None: an arm is empty."""
    money_visible: float | None


class Plan(Struct, frozen=True, kw_only=True):
    """All ways, and the one that leaves the fewest customers alone; None: none is enough within a year."""

    options: tuple[Option, ...]
    effect: float
    proposed: Option | None


def plan_of(shop: AlertedShop, effect: float) -> Plan:
    """The plan with which a difference of shares (0 to 1) would be seen."""
    options = tuple(_option(shop, share, months) for months in MONTHS for share in SHARES)
    enough = [each for each in options if each.visible is not None and each.visible <= effect]
    proposed = min(enough, key=lambda each: (each.held_out, each.months), default=None)
    return Plan(options=options, effect=effect, proposed=proposed)


def _option(shop: AlertedShop, share: float, months: int) -> Option:
    customers = shop.alerted[months]
    held = round(share * customers)
    arms = customers - held, held
    whole = min(arms) > 0
    money = smallest_visible_mean(shop.money_deviation, *arms) if whole and shop.money_deviation else None
    return Option(
        share=share,
        months=months,
        customers=customers,
        held_out=held,
        visible=smallest_visible_share(shop.repurchase, *arms) if whole else None,
        money_visible=money,
    )


def shop_of(
    openings: Sequence[Opening], lives: Lives, window_ms: int, end_ms: int, currency: str
) -> AlertedShop:
    """The shop as its alerts and orders show it up to an instant.

    Months that the alerts do not reach back are extended at the pace of those that they do.
    ValueError: no alert whose window is over.
    """
    first: dict[str, int] = {}
    for opening in sorted(openings, key=lambda each: each.raised_ms, reverse=True):
        if opening.raised_ms + window_ms <= end_ms:
            first[opening.customer] = opening.raised_ms
    if not first:
        customers = {opening.customer for opening in openings}
        raise ValueError(f"of {len(customers):,} customers with alerts none has a window that is over")
    after = [lives.after(one, at_ms, at_ms + window_ms, currency) for one, at_ms in sorted(first.items())]
    return AlertedShop(
        alerted=_alerted(openings),
        repurchase=float(np.mean([each.bought for each in after])),
        money_deviation=float(np.std([each.paid_minor for each in after])) if currency else 0.0,
        currency=currency,
    )


def _alerted(openings: Sequence[Opening]) -> dict[int, int]:
    """Months -> different customers who are alerted about within so many, up to the last alert."""
    end_ms = max(opening.raised_ms for opening in openings)
    span_ms = end_ms - min(opening.raised_ms for opening in openings)
    found = {}
    for months in MONTHS:
        known_ms = max(DAY_MS, min(months * MONTH_MS, span_ms))
        customers = {each.customer for each in openings if each.raised_ms >= end_ms - known_ms}
        found[months] = round(len(customers) * months * MONTH_MS / known_ms)
    return found
