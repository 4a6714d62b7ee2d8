"""How many alerts of each kind were raised in each week, and which are held back now, and why."""

from __future__ import annotations

from msgspec import Struct

from stream.core.units import HOUR_MS
from stream.look.months import Months
from stream.page.screens.view import KIND_TABS, View
from stream.page.store.store import Reading
from stream.wording.amounts import count

WEEKS = 26
HELD_WORDS = {
    "dwell": "their score has not been high for long enough yet",
    "cool_down": "an alert of the kind ended not long ago",
    "other_open": "a more important alert about them is open",
    "raising_limit": "there were as many alerts about them lately as the policy allows",
    "expired": "an alert was open until it expired, and their score has not been low since",
}
"""Why nothing is raised though the score is high (entries.py), in words."""


class KindWeeks(Struct, frozen=True):
    """One kind of alert by week, the last one up to today."""

    kind: str
    series: Months
    per_week: str
    rows: list[tuple[str, int]]
    """First day and number of each week, the latest first."""


class Held(Struct, frozen=True):
    """Customers about whom no alert is raised now, for one reason."""

    kind: str
    why: str
    customers: int


def alert_weeks(reading: Reading, view: View) -> list[KindWeeks]:
    """Raised alerts of the last 26 weeks; weeks end with the day of the view."""
    starts = view.day_starts_ms(7 * WEEKS)[::7]
    sql = (
        f"SELECT kind, at_ms / {HOUR_MS}, COUNT(*) FROM alerts "
        "WHERE at_ms >= ? AND state = 'raised' GROUP BY 1, 2"
    )
    counts = {kind: [0] * WEEKS for kind in KIND_TABS}
    for kind, hour, raised in reading.rows(sql, [starts[0]]):
        week = max(place for place, start in enumerate(starts) if start // HOUR_MS <= hour)
        counts[kind][week] += raised
    return [_kind(kind, starts, counts[kind], view) for kind in KIND_TABS]


def _kind(kind: str, starts: list[int], counts: list[int], view: View) -> KindWeeks:
    names = [view.date(start) for start in starts]
    values = [
        (f"week from {name}", float(raised), count(raised, "alert"))
        for name, raised in zip(names, counts, strict=True)
    ]
    label = f"{KIND_TABS[kind]}: alerts raised by week, {names[0]} to {view.date(view.as_of_ms)}"
    mean = sum(counts) / WEEKS
    return KindWeeks(
        KIND_TABS[kind],
        Months(label, values),
        f"{mean:.1f} a week on average, {counts[-1]:,} in the last seven days",
        list(zip(names, counts, strict=True))[::-1],
    )


def held_back(reading: Reading, view: View) -> list[Held]:
    """Most first."""
    sql = "SELECT held, COUNT(*) FROM customers WHERE held <> '' GROUP BY held"
    found: dict[tuple[str, str], int] = {}
    for held, customers in reading.rows(sql):
        for each in held.split():
            kind, _, why = each.partition(":")
            found[kind, why] = found.get((kind, why), 0) + customers
    return [
        Held(KIND_TABS[kind], HELD_WORDS[why], customers)
        for (kind, why), customers in sorted(found.items(), key=lambda each: (-each[1], each[0]))
    ]
