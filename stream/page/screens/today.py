"""The first screen: the customers who need us today, worst first, with why, since when, what is at stake.

Worst first is by what came into doubt lately: the value at risk times the rise of the score within 30 days
(docs/decisions/0029). Amounts of different currencies are never added or compared: one is shown at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate

from msgspec import Struct

from stream.core.alerts.alert import AlertData
from stream.page.entries import NOT_KNOWN, OpenEntry
from stream.page.screens.counts import currencies as all_currencies
from stream.page.screens.counts import open_counted
from stream.page.screens.open_list import (
    UNSORTED,
    condition,
    counted_condition,
    currencies,
    cursor,
    named_alert,
    open_page,
    orders,
    with_currency,
)
from stream.page.screens.view import (
    KIND_TABS,
    Chip,
    Choice,
    Tab,
    View,
    choices,
    estimate,
    url,
)
from stream.page.store.store import Reading
from stream.page.store.tables import OPEN_SUMS
from stream.wording.alert import reason_lines, score_number, to_do_words

PATH, CSV_PATH = "/", "/today.csv"
ROWS_SHOWN = 20
WHY_LETTERS_MAX = 100
"""Reasons are shown up to this length in all, but at least the first: the worst five fit on a screen."""
Z_80 = 1.2816
"""8 in 10 of a normal distribution lie within so many standard deviations of its mean."""
SCORES = {
    "at_risk_loyal": "warning level {}",
    "churn_risk": "{} risk that they do not buy again",
    "upgrade_opportunity": "readiness {}",
}
LISTED = (
    "customer NOT IN (SELECT customer FROM mutes WHERE until_ms > ? UNION ALL SELECT customer FROM unseen)"
)
"""Neither muted nor such as this program cannot look at."""
OF_CURRENCY = "EXISTS (SELECT 1 FROM customers c WHERE c.customer = alerts.customer AND c.currency = ?)"
"""The alerts of customers who pay in one currency: the alerts themselves may name none."""


class OpenRow(Struct, frozen=True):
    """One customer of the list, in words."""

    customer: str
    who: str
    """The id as people see it: templates show this one."""
    tier: str
    move: str
    urgent: bool
    is_new: bool
    since: str
    opened: str
    why: list[str]
    more: int
    """Reasons that are not shown."""
    stake: str
    spread: str
    lost: str
    """What is likely to be lost of it; empty where the list is not about that."""
    score: str
    change: str
    to_do: str
    alert_id: str


class Total(Struct, frozen=True):
    """What the list comes to, in one currency."""

    customers: int
    unknown: int
    """Of these, customers of whom it is not known what they would bring; they are in no sum."""
    stake: str
    spread: str


class TodayScreen(Struct, frozen=True):
    """All that the screen shows."""

    kind: str
    tabs: list[Tab]
    currencies: list[Tab]
    total: Total
    new: int
    """Of those that the filters show."""
    over: int | None
    """Of the whole list: alerts of the past have no tier to filter by. None where those are not known."""
    open_by_day: list[tuple[str, int]]
    """The last 30 days with the number of open alerts at their end; empty where that is not known."""
    rows: list[OpenRow]
    has_closed: bool
    """Whether some of the rows are of customers whom nobody may contact."""
    is_first_page: bool
    next_url: str
    csv_url: str
    chips: list[Chip]
    clear_url: str
    tiers: list[Choice]
    sorts: list[Choice]
    """Orders of the list; empty where there is one only."""
    filters: dict[str, str]


def today(reading: Reading, filters: Mapping[str, str], view: View) -> TodayScreen:
    """The screen for these filters."""
    kind = filters["kind"]
    counts = {
        row[0]: row[1] for row in open_counted(reading, ("kind",), "1 = 1", muted_after_ms=view.as_of_ms)
    }
    by_currency = currencies(reading, kind, view)
    filters = with_currency(reading, filters, view)
    currency = filters["currency"]
    found = open_page(reading, filters, view, ROWS_SHOWN + 1)
    shown = found[:ROWS_SHOWN]
    bare = {"kind": filters["kind"]}
    return TodayScreen(
        kind=kind,
        tabs=[
            Tab(title, counts.get(one, 0), url(PATH, {"kind": one}), one == kind)
            for one, title in KIND_TABS.items()
        ],
        currencies=[
            Tab(name or "none", count, url(PATH, {**bare, "currency": name}), name == currency)
            for name, count in by_currency
        ],
        total=_total(reading, filters, view),
        new=_new(reading, filters, view),
        over=_over(reading, kind, currency, view),
        open_by_day=_open_by_day(reading, kind, currency, view),
        rows=[_row(entry, named_alert(reading, entry, view), view) for entry in shown],
        has_closed=any(entry.closed_to_us for entry in shown),
        is_first_page=not filters["after"],
        next_url=url(PATH, {**filters, "after": cursor(shown[-1], filters, view)})
        if len(found) > ROWS_SHOWN
        else "",
        csv_url=url(CSV_PATH, {**filters, "after": ""}),
        chips=_chips(filters),
        clear_url=url(PATH, bare),
        tiers=choices({name: name for name in reversed(view.basis.tier_names)}, filters["tier"]),
        sorts=orders(filters),
        filters=dict(filters),
    )


def _total(reading: Reading, filters: Mapping[str, str], view: View) -> Total:
    """Means and variances add up where customers decide by themselves; the sum is taken as normal."""
    currency = filters["currency"]
    if filters["since"]:
        where, values = condition(filters, view)
        found = reading.rows(f"SELECT {OPEN_SUMS} FROM open_alerts WHERE {where}", values)
    else:
        where, values = counted_condition(filters, view)
        found = open_counted(reading, (), where, values, muted_after_ms=view.as_of_ms)
    customers, unknown, mean, variance = found[0] if found else (0, 0, 0.0, 0.0)
    reach = Z_80 * math.sqrt(variance)
    low, high = max(0.0, mean - reach), mean + reach
    spread = f"{estimate(low, currency)} to {estimate(high, currency)}"
    if unknown == customers and customers:
        return Total(customers, unknown, "not known", "")
    return Total(customers, unknown, estimate(mean, currency), spread)


def _new(reading: Reading, filters: Mapping[str, str], view: View) -> int:
    """How many of what the filters show were raised since yesterday."""
    where, values = condition({**filters, "since": "yesterday"}, view)
    return int(reading.one(f"SELECT COUNT(*) FROM open_alerts WHERE {where}", values)[0])


def _over(reading: Reading, kind: str, currency: str, view: View) -> int | None:
    if not view.has_alerts:
        return None
    ended = "at_ms >= ? AND state NOT IN ('raised', 'escalated')"
    theirs, values = _theirs(reading, kind, currency, view)
    sql = f"SELECT COUNT(*) FROM alerts WHERE {ended} AND {theirs}"
    return int(reading.one(sql, [view.yesterday_ms, *values])[0])


def _theirs(reading: Reading, kind: str, currency: str, view: View) -> tuple[str, list[str | int]]:
    """The condition of alerts of a kind and a currency about the customers of the list: those whom it leaves
    out now count on no day. Where all pay in the currency nobody needs to be looked up."""
    theirs = f"kind = ? AND {LISTED}"
    values: list[str | int] = [kind, view.as_of_ms]
    if [name for name, _ in all_currencies(reading)] == [currency]:
        return theirs, values
    return f"{theirs} AND {OF_CURRENCY}", [*values, currency]


def _open_by_day(reading: Reading, kind: str, currency: str, view: View) -> list[tuple[str, int]]:
    """From the number that is open now, backwards over what was raised and what ended on each day."""
    if not view.has_alerts:
        return []
    starts = view.day_starts_ms(30)
    of_kind, muted_after_ms = "kind = ? AND currency = ?", view.as_of_ms
    counted = open_counted(reading, (), of_kind, [kind, currency], muted_after_ms=muted_after_ms)
    open_now = counted[0][0] if counted else 0
    theirs, values = _theirs(reading, kind, currency, view)
    sql = (
        "SELECT at_ms / 900000, state, COUNT(*) FROM alerts "
        f"WHERE at_ms >= ? AND state <> 'escalated' AND {theirs} GROUP BY 1, 2"
    )
    grown = [0] * len(starts)
    for quarter, state, count in reading.rows(sql, [starts[0], *values]):
        day = max(place for place, start in enumerate(starts) if start // 900_000 <= quarter)
        grown[day] += count if state == "raised" else -count
    levels, level = [], open_now
    for day in reversed(range(len(starts))):
        levels.append((view.date(starts[day]), max(0, level)))
        level -= grown[day]
    return levels[::-1]


def _chips(filters: Mapping[str, str]) -> list[Chip]:
    words = {
        "since": "new since yesterday",
        "tier": f"{filters['tier']} tier",
        "urgent": "urgent only",
    }
    return [
        Chip(text, url(PATH, {**filters, "after": "", name: ""}))
        for name, text in words.items()
        if filters[name]
    ]


def _row(entry: OpenEntry, data: AlertData, view: View) -> OpenRow:
    why = reason_lines(data, view.calendar, view.as_of_ms) or ["no single reason stands out"]
    shown = _shown_reasons(why)
    low, high = (estimate(minor, entry.currency) for minor in (entry.stake_low_minor, entry.stake_high_minor))
    is_known = entry.stake_minor != NOT_KNOWN
    action = data.recommended_action
    return OpenRow(
        customer=entry.customer,
        who=view.shown(entry.customer),
        tier=view.tier_name(entry.tier),
        move=view.tier_move(entry.tier_before, entry.tier, entry.tier_since_ms),
        urgent=bool(entry.urgent),
        is_new=entry.opened_ms >= view.yesterday_ms,
        since=view.ago(entry.opened_ms),
        opened=view.date(entry.opened_ms),
        why=why[:shown],
        more=len(why) - shown,
        stake=estimate(entry.stake_mean, entry.currency) if is_known else "not known",
        spread=_spread(low if entry.stake_low_minor else "", high) if is_known else "",
        lost=estimate(entry.likely_lost, entry.currency) if is_known and entry.kind != UNSORTED else "",
        score=SCORES[entry.kind].format(score_number(entry.kind, entry.score)),
        change=_change(entry),
        to_do=to_do_words(data, in_brief=True)
        if action is not None
        else "Nothing is in the playbook for this reason.",
        alert_id=data.alert_id,
    )


def _spread(low: str, high: str) -> str:
    """What most of such customers bring, as in the words of an alert; `low` is empty where one in ten brings
    nothing."""
    return f"{low} to {high}" if low else f"at most {high}"


def _shown_reasons(why: list[str]) -> int:
    """How many of them are shown, from the strongest."""
    letters = list(accumulate(map(len, why)))
    return max(1, sum(total <= WHY_LETTERS_MAX for total in letters))


def _change(entry: OpenEntry) -> str:
    points = round(100 * entry.score) - round(100 * entry.score_before)
    if points <= 0:
        return "no rise in 30 days"
    return f"+{points} point{'' if points == 1 else 's'} in 30 days"
