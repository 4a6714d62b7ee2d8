"""The list of all customers: searched by id, filtered, sorted, one page after the other.

The filters are in the URL. Money is ordered within one currency only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct

from stream.core.facts.profile import Stage
from stream.page.entries import CustomerEntry
from stream.page.screens.csv_text import Cell
from stream.page.screens.view import (
    BETWEEN,
    KIND_TABS,
    Chip,
    Choice,
    View,
    choices,
    cursor_parts,
    estimate,
    known_filters,
    number,
    one_of,
    plain_amount,
    url,
)
from stream.page.store.store import Reading, Row
from stream.wording.amounts import count, share
from stream.wording.profile import STAGES

PATH, CSV_PATH = "/customers", "/customers.csv"
FILTERS = (
    "q", "tier", "stage", "kind", "campaign", "channel", "country", "currency", "quiet", "sort", "after"
)  # fmt: skip
SORTS = {
    "value": ("value_minor", "expected profit"),
    "risk": ("risk", "risk"),
    "change": ("risk_rise", "rise of the risk in 30 days"),
    "last": ("last_purchase_ms", "last purchase"),
}
"""Name in the URL -> column, words. All of them begin with the largest."""
EXACT = ("campaign", "channel", "country")
QUIET_DAYS = ("30", "90", "180", "365")
ROWS_SHOWN, ROWS_READ = 50, 500
ABOVE_ALL = "\U0010ffff"
"""Behind every text that begins as another does."""
COLUMNS = tuple(name for name in CustomerEntry.__struct_fields__ if name != "profile")
CSV_HEAD = (
    "customer", "tier", "stage", "expected profit", "currency", "risk", "rise of the risk in 30 days",
    "last purchase", "orders", "paid less refunds", "open alerts", "campaign", "channel", "country",
)  # fmt: skip


class CustomerRow(Struct, frozen=True):
    """One customer of the list, in words."""

    customer: str
    tier: str
    move: str
    stage: str
    value: str
    risk: str
    rise: str
    last: str
    orders: int
    paid: str
    alerts: list[str]


class CustomersScreen(Struct, frozen=True):
    """All that the screen shows."""

    rows: list[CustomerRow]
    known: int
    """Customers in all."""
    currencies: list[tuple[str, int, str]]
    """Each currency with its customers, and the URL that shows them."""
    is_first_page: bool
    next_url: str
    csv_url: str
    chips: list[Chip]
    tiers: list[Choice]
    stages: list[Choice]
    kinds: list[Choice]
    quiet: list[Choice]
    sorts: list[Choice]
    filters: dict[str, str]


def customers_filters(query: Mapping[str, str], view: View) -> dict[str, str]:
    """The filters of the URL; FilterError."""
    found = known_filters(query, FILTERS)
    one_of("tier", found["tier"], view.basis.tier_names)
    one_of("stage", found["stage"], get_args(Stage))
    one_of("kind", found["kind"], KIND_TABS)
    one_of("quiet", found["quiet"], QUIET_DAYS)
    one_of("sort", found["sort"], SORTS)
    found["sort"] = found["sort"] or "value"
    return found


def with_currency(reading: Reading, filters: Mapping[str, str]) -> dict[str, str]:
    """The filters with the currency of most customers, where money is sorted by and none is named."""
    if filters["sort"] != "value" or filters["currency"] or filters["q"]:
        return dict(filters)
    found = currencies(reading)
    return {**filters, "currency": found[0][0]} if len(found) > 1 else dict(filters)


def currencies(reading: Reading) -> list[Row]:
    """Each currency with the number of its customers, most first; without those who never bought."""
    sql = "SELECT currency, COUNT(*) FROM customers WHERE currency <> '' GROUP BY currency ORDER BY 2 DESC, 1"
    return reading.rows(sql)


def customers_screen(reading: Reading, filters: Mapping[str, str], view: View) -> CustomersScreen:
    """The screen for these filters."""
    filters = with_currency(reading, filters)
    found = _page(reading, filters, view, ROWS_SHOWN + 1)
    shown, more = found[:ROWS_SHOWN], len(found) > ROWS_SHOWN
    first = {**filters, "after": ""}
    by_currency = currencies(reading)
    return CustomersScreen(
        rows=[_row(entry, view) for entry in shown],
        known=reading.one("SELECT COUNT(*) FROM customers")[0],
        currencies=[(name, many, url(PATH, {**first, "currency": name})) for name, many in by_currency],
        is_first_page=not filters["after"],
        next_url=url(PATH, {**filters, "after": _cursor(shown[-1], filters)}) if more else "",
        csv_url=url(CSV_PATH, first),
        chips=_chips(first),
        tiers=choices({name: name for name in reversed(view.basis.tier_names)}, filters["tier"]),
        stages=choices({name: STAGES[name] for name in get_args(Stage)}, filters["stage"]),
        kinds=choices(KIND_TABS, filters["kind"]),
        quiet=choices({days: f"{days} days" for days in QUIET_DAYS}, filters["quiet"]),
        sorts=[Choice(name, words, name == filters["sort"]) for name, (_, words) in SORTS.items()],
        filters=dict(filters),
    )


def customers_export(
    reading: Reading, filters: Mapping[str, str], view: View
) -> tuple[list[list[Cell]], str]:
    """The next rows of the list for an export, in the same order, and the place after them; empty at the
    end."""
    found = _page(reading, filters, view, ROWS_READ)
    after = _cursor(found[-1], filters) if len(found) == ROWS_READ else ""
    return [_cells(entry, view) for entry in found], after


def _page(reading: Reading, filters: Mapping[str, str], view: View, limit: int) -> list[CustomerEntry]:
    where, values = _condition(filters, view)
    column, _ = SORTS[filters["sort"]]
    if filters["after"]:
        level, customer = cursor_parts(filters["after"], 2)
        where.append(f"({column} < ? OR ({column} = ? AND customer > ?))")
        values += [number(level), number(level), customer]
    condition = f"WHERE {' AND '.join(where)} " if where else ""
    sql = f"SELECT {', '.join(COLUMNS)} FROM customers {condition}ORDER BY {column} DESC, customer LIMIT ?"
    return [CustomerEntry(*(*row, b"")) for row in reading.rows(sql, [*values, limit])]


def _condition(filters: Mapping[str, str], view: View) -> tuple[list[str], list[str | int | float]]:
    where: list[str] = []
    values: list[str | int | float] = []

    def add(condition: str, *more: str | int | float) -> None:
        where.append(condition)
        values.extend(more)

    if filters["q"]:
        add("customer >= ? AND customer < ?", filters["q"], filters["q"] + ABOVE_ALL)
    if filters["tier"]:
        add("tier = ?", view.basis.tier_names.index(filters["tier"]))
    if filters["kind"]:
        add("open_kinds LIKE ?", f"%{filters['kind']}%")
    if filters["quiet"]:
        add("last_purchase_ms > 0 AND last_purchase_ms < ?", view.quiet_ms(int(filters["quiet"])))
    for name in ("stage", "currency", *EXACT):
        if filters[name]:
            add(f"{name} = ?", filters[name])
    return where, values


def _cursor(entry: CustomerEntry, filters: Mapping[str, str]) -> str:
    return BETWEEN.join((repr(getattr(entry, SORTS[filters["sort"]][0])), entry.customer))


def _chips(filters: Mapping[str, str]) -> list[Chip]:
    words = {
        "q": f"id begins with {filters['q']}",
        "tier": f"{filters['tier']} tier",
        "stage": STAGES.get(filters["stage"], ""),
        "kind": KIND_TABS.get(filters["kind"], ""),
        "quiet": f"bought nothing for {filters['quiet']} days",
        "currency": f"pays in {filters['currency']}",
        **{name: f"{name} {filters[name]}" for name in EXACT},
    }
    return [Chip(text, url(PATH, {**filters, name: ""})) for name, text in words.items() if filters[name]]


def _row(entry: CustomerEntry, view: View) -> CustomerRow:
    points = round(100 * entry.risk_rise)
    bought = entry.orders > 0
    return CustomerRow(
        customer=entry.customer,
        tier=view.tier_name(entry.tier),
        move=view.tier_move(entry.tier_before, entry.tier, entry.tier_since_ms),
        stage=STAGES.get(entry.stage, entry.stage),
        value=estimate(entry.value_minor, entry.currency) if bought and entry.value_minor >= 0 else "",
        risk=share(entry.risk) if bought else "",
        rise=f"+{count(points, 'point')}" if points > 0 else "",
        last=view.ago(entry.last_purchase_ms) if entry.last_purchase_ms else "never",
        orders=entry.orders,
        paid=estimate(entry.paid_minor, entry.currency) if bought else "",
        alerts=[KIND_TABS[kind] for kind in entry.open_kinds.split()],
    )


def _cells(entry: CustomerEntry, view: View) -> list[Cell]:
    return [
        entry.customer,
        view.tier_name(entry.tier),
        entry.stage,
        plain_amount(entry.value_minor, entry.currency) if entry.value_minor >= 0 else "",
        entry.currency,
        round(entry.risk, 4),
        round(entry.risk_rise, 4),
        view.iso_day(entry.last_purchase_ms),
        entry.orders,
        plain_amount(entry.paid_minor, entry.currency),
        ", ".join(KIND_TABS[kind] for kind in entry.open_kinds.split()),
        entry.campaign,
        entry.channel,
        entry.country,
    ]
