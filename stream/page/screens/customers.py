"""The list of all customers: searched by id, filtered, sorted, one page after the other.

The filters are in the URL. Money is ordered within one currency only.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stream.core.facts.months import by_month
from stream.page.entries import CustomerEntry
from stream.page.screens.counts import counted, currencies, customers_known
from stream.page.screens.csv_text import Cell
from stream.page.screens.customer_filters import (
    OF_ROWS,
    SORTS,
    chips,
    condition,
    filter_choices,
    month_number,
    with_currency,
)
from stream.page.screens.masked import customer_of
from stream.page.screens.view import (
    BETWEEN,
    KIND_TABS,
    Chip,
    Choice,
    View,
    cursor_parts,
    estimate,
    number,
    plain_amount,
    url,
)
from stream.page.store.store import Reading
from stream.page.stored_profiles import whole_profile
from stream.wording.amounts import count, share
from stream.wording.profile import STAGES

PATH, CSV_PATH = "/customers", "/customers.csv"
ROWS_SHOWN, ROWS_READ = 50, 500
COUNTED_MAX = 10_000
"""Rows are counted up to here, where the tables of counts do not say how many fit."""
COLUMNS = CustomerEntry.__struct_fields__
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
    fit: str
    """How many fit the filters, of all, in words; without filters how many are known."""
    currencies: list[tuple[str, int, str]]
    """Each currency with its customers, and the URL that shows them."""
    is_first_page: bool
    next_url: str
    csv_url: str
    chips: list[Chip]
    choices: dict[str, list[Choice]]
    sorts: list[Choice]
    filters: dict[str, str]


def customers_screen(reading: Reading, filters: Mapping[str, str], view: View) -> CustomersScreen:
    """The screen for these filters."""
    filters = with_currency(reading, filters)
    found = _page(reading, filters, view, ROWS_SHOWN + 1)
    shown, more = found[:ROWS_SHOWN], len(found) > ROWS_SHOWN
    first = {**filters, "after": ""}
    by_currency, known = currencies(reading), customers_known(reading)
    return CustomersScreen(
        rows=[_row(entry, view) for entry in shown],
        known=known,
        fit=_fit(reading, filters, view, known, None if more or filters["after"] else len(shown)),
        currencies=[(name, many, url(PATH, {**first, "currency": name})) for name, many in by_currency],
        is_first_page=not filters["after"],
        next_url=url(PATH, {**filters, "after": _cursor(shown[-1], filters, view)}) if more else "",
        csv_url=url(CSV_PATH, first),
        chips=chips(first, PATH),
        choices=filter_choices(filters, view),
        sorts=[Choice(name, words, name == filters["sort"]) for name, (_, words) in SORTS.items()],
        filters=dict(filters),
    )


def _fit(reading: Reading, filters: Mapping[str, str], view: View, known: int, whole: int | None) -> str:
    """`12 of 2,469 customers`; `whole`: how many there are where all of them are on this page."""
    where, values = condition(reading, filters, view)
    if not where and not filters["bought"]:
        return f"{count(known, 'customer is', 'customers are')} known"
    of_all = f"of {count(known, 'customer')}"
    if whole is not None:
        return f"{whole:,} {of_all}"
    if filters["bought"]:
        return f"More than {ROWS_SHOWN} {of_all}"  # each profile would have to be looked into
    if not any(filters[name] for name in OF_ROWS):
        counts = counted(reading, (), " AND ".join(where), values)
        return f"{sum(customers for customers, _ in counts):,} {of_all}"
    some = f"SELECT 1 FROM customers WHERE {' AND '.join(where)} LIMIT {COUNTED_MAX + 1}"
    sql = f"SELECT COUNT(*) FROM ({some}) c"
    (many,) = reading.one(sql, values)
    return f"{many:,} {of_all}" if many <= COUNTED_MAX else f"More than {COUNTED_MAX:,} {of_all}"


def customers_export(
    reading: Reading, filters: Mapping[str, str], view: View
) -> tuple[list[list[Cell]], str]:
    """The next rows of the list for an export, in the same order, and the place after them; empty at the
    end."""
    found = _page(reading, filters, view, ROWS_READ)
    after = _cursor(found[-1], filters, view) if len(found) == ROWS_READ else ""
    return [_cells(entry, view) for entry in found], after


def _page(reading: Reading, filters: Mapping[str, str], view: View, limit: int) -> list[CustomerEntry]:
    """Up to `limit` customers from the place of the filters on."""
    place: tuple[float, str] | None = None
    if filters["after"]:
        level, who = cursor_parts(filters["after"], 2)
        place = number(level), customer_of(reading, who, view)
    found = _part(reading, filters, view, place, limit)
    if not filters["bought"]:
        return found
    month, kept = month_number(filters["bought"]), list[CustomerEntry]()
    while True:
        kept += [entry for entry in found if _bought_in(reading, entry.customer, month)]
        if len(kept) >= limit or len(found) < limit:
            return kept[:limit]
        place = getattr(found[-1], SORTS[filters["sort"]][0]), found[-1].customer
        found = _part(reading, filters, view, place, limit)


def _part(
    reading: Reading, filters: Mapping[str, str], view: View, place: tuple[float, str] | None, limit: int
) -> list[CustomerEntry]:
    where, values = condition(reading, filters, view)
    column, _ = SORTS[filters["sort"]]
    if place is not None:
        level, customer = place
        where.append(f"{column} <= ? AND ({column} < ? OR customer > ?)")  # the first part finds the place
        values += [level, level, customer]
    chosen = f"WHERE {' AND '.join(where)} " if where else ""
    sql = f"SELECT {', '.join(COLUMNS)} FROM customers {chosen}ORDER BY {column} DESC, customer LIMIT ?"
    return [CustomerEntry(*row) for row in reading.rows(sql, [*values, limit])]


def _bought_in(reading: Reading, customer: str, month: int) -> bool:
    """Whether they bought in a month (counted from January 1970): a profile keeps the last 25 of them. Of one
    that cannot be read in full it is not known: the next round takes its customer out."""
    (body,) = reading.one("SELECT body FROM profiles WHERE customer = ?", [customer])
    profile = whole_profile(body)
    return profile is not None and month in by_month(profile.buying.sums.month_orders)


def _cursor(entry: CustomerEntry, filters: Mapping[str, str], view: View) -> str:
    return BETWEEN.join((repr(getattr(entry, SORTS[filters["sort"]][0])), view.shown(entry.customer)))


def _row(entry: CustomerEntry, view: View) -> CustomerRow:
    points = round(100 * entry.risk_rise)
    bought = entry.orders > 0
    return CustomerRow(
        customer=view.shown(entry.customer),
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
        view.shown(entry.customer),
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
