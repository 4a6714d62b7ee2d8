"""The filters of the list of customers and of the map: in the URL, checked, in words, and as SQL."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import get_args

from stream.core.facts.profile import Stage
from stream.page.screens.counts import currencies
from stream.page.screens.masked import found_by_id
from stream.page.screens.view import (
    KIND_TABS,
    Chip,
    Choice,
    FilterError,
    View,
    choices,
    estimate,
    known_filters,
    one_of,
    url,
)
from stream.page.store.store import Reading
from stream.wording.amounts import month_of_year, with_dates
from stream.wording.profile import STAGES

FILTERS = (
    "q", "tier", "stage", "kind", "campaign", "channel", "country", "currency", "quiet", "risk", "value",
    "first", "bought", "was", "sort", "after",
)  # fmt: skip
SORTS = {
    "value": ("value_minor", "expected profit"),
    "risk": ("risk", "risk"),
    "change": ("risk_rise", "rise of the risk in 30 days"),
    "last": ("last_purchase_ms", "last purchase"),
}
"""Name in the URL -> column, words. All of them begin with the largest."""
OF_ROWS = ("q", "quiet", "campaign", "channel", "country", "risk", "value", "first", "was")
"""Filters of what customers are not counted by (stream/page/cells.py)."""
RISK_BANDS = ("80-", "60-80", "40-60", "20-40", "-20")
"""Bands that the form offers, in percent."""
EXACT = {
    "campaign": "won by campaign",
    "channel": "won through channel",
    "country": "lives in country",
}
"""Filters by what is known of where customers came from, in words: whom a campaign only reached is not among
those it won."""
QUIET_DAYS = ("30", "90", "180", "365")
BETWEEN_DAYS = ".."
EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
OPEN_END = "-"
"""Between the ends of a band, such as `60-80`; an end that is left out is open."""
MOVED_DAYS = 90
"""A move between tiers is one of so many days."""


def customers_filters(query: Mapping[str, str], view: View) -> dict[str, str]:
    """The filters of the URL; FilterError."""
    found = known_filters(query, FILTERS)
    one_of("tier", found["tier"], view.basis.tier_names)
    one_of("stage", found["stage"], get_args(Stage))
    one_of("kind", found["kind"], KIND_TABS)
    one_of("quiet", found["quiet"], QUIET_DAYS)
    one_of("sort", found["sort"], SORTS)
    one_of("was", found["was"], view.basis.tier_names)
    for name in ("risk", "value"):
        band_ends(name, found[name])
    days_between(found["first"])
    month_number(found["bought"])
    if found["bought"] and not found["first"]:
        raise FilterError("`bought` goes with `first`: of whom a month is asked")
    found["sort"] = found["sort"] or "value"
    return found


def with_currency(reading: Reading, filters: Mapping[str, str]) -> dict[str, str]:
    """The filters with the currency of most customers, where money is sorted by and none is named."""
    is_of_money = filters["sort"] == "value" or filters["value"]
    if not is_of_money or filters["currency"] or filters["q"]:
        return dict(filters)
    found = currencies(reading)
    return {**filters, "currency": found[0][0]} if len(found) > 1 else dict(filters)


def condition(
    reading: Reading, filters: Mapping[str, str], view: View
) -> tuple[list[str], list[str | int | float]]:
    """The conditions of these filters, and their parameters."""
    where: list[str] = []
    values: list[str | int | float] = []

    def add(condition: str, *more: str | int | float) -> None:
        where.append(condition)
        values.extend(more)

    if filters["q"]:
        within, typed = found_by_id(reading, filters["q"], view)
        add(within, *typed)
    if filters["tier"]:
        add("tier = ?", view.basis.tier_names.index(filters["tier"]))
    if filters["kind"]:
        add("open_kinds LIKE ?", f"%{filters['kind']}%")
    for text, more in _conditions_of_time(filters, view):
        add(text, *more)
    for name, column, part in (("risk", "risk", 0.01), ("value", "value_minor", 1)):
        low, high = band_ends(name, filters[name])
        if filters[name]:
            add("orders > 0 AND value_minor >= 0")
        if low is not None:
            add(f"{column} >= ?", low * part)
        if high is not None:
            add(f"{column} < ?", high * part)
    for name in ("stage", "currency", *EXACT):
        if filters[name]:
            add(f"{name} = ?", filters[name])
    return where, values


def _conditions_of_time(filters: Mapping[str, str], view: View) -> Iterator[tuple[str, tuple[int, ...]]]:
    midnight = view.calendar.midnight_ms
    if filters["quiet"]:
        yield "last_purchase_ms > 0 AND last_purchase_ms < ?", (view.quiet_ms(int(filters["quiet"])),)
    if filters["first"]:
        first, last = days_between(filters["first"])
        yield "first_ms > 0 AND first_ms >= ? AND first_ms < ?", (midnight(first), midnight(last + 1))
    if filters["was"]:
        before = view.basis.tier_names.index(filters["was"])
        yield "tier_before = ? AND tier_since_ms >= ?", (before, view.quiet_ms(MOVED_DAYS))


def filter_choices(filters: Mapping[str, str], view: View) -> dict[str, list[Choice]]:
    """What can be chosen for the filters that have few values."""
    return {
        "tier": choices({name: name for name in reversed(view.basis.tier_names)}, filters["tier"]),
        "stage": choices({name: STAGES[name] for name in get_args(Stage)}, filters["stage"]),
        "kind": choices(KIND_TABS, filters["kind"]),
        "quiet": choices({days: f"{days} days" for days in QUIET_DAYS}, filters["quiet"]),
        "risk": choices(_risk_words(filters["risk"]), filters["risk"]),
    }


def _risk_words(chosen: str) -> dict[str, str]:
    """The bands of risk that can be chosen, and the one that is."""
    bands = dict.fromkeys((*RISK_BANDS, *([chosen] if chosen else [])))
    return {each: f"{_band_words(each)}%" for each in bands}


def chips(filters: Mapping[str, str], path: str) -> list[Chip]:
    """A chip for each filter that is in force, with the address without it."""
    words = {
        "q": f"id with {filters['q']}",
        "tier": f"{filters['tier']} tier",
        "stage": STAGES.get(filters["stage"], ""),
        "kind": KIND_TABS.get(filters["kind"], ""),
        "quiet": f"bought nothing for {filters['quiet']} days",
        "risk": f"risk {_band_words(filters['risk'])}%",
        "value": f"expected profit {_money_words(filters['value'], filters['currency'])}",
        "first": f"first bought from {with_dates(filters['first'].replace(BETWEEN_DAYS, ' to '))}",
        "bought": f"bought in {month_of_year(filters['bought'])}" if filters["bought"] else "",
        "was": f"was {filters['was']} within {MOVED_DAYS} days",
        "currency": f"pays in {filters['currency']}",
        **{name: f"{words} {filters[name]}" for name, words in EXACT.items()},
    }
    without = {"first": {"first": "", "bought": ""}}
    return [
        Chip(text, url(path, {**filters, name: "", **without.get(name, {})}))
        for name, text in words.items()
        if filters[name]
    ]


def band(low: int | None, high: int | None) -> str:
    """`60-80`, `-60`, `80-`: a band as it stands in the URL."""
    return f"{'' if low is None else low}{OPEN_END}{'' if high is None else high}"


def band_ends(name: str, text: str) -> tuple[int | None, int | None]:
    """The ends of a band; None: open. FilterError."""
    if not text:
        return None, None
    low, between, high = text.partition(OPEN_END)
    if not between or not all(
        end.isascii() and (end.isdigit() or not end) and len(end) < 18 for end in (low, high)
    ):
        raise FilterError(f"{name} is {text!r}; allowed: a band such as 20-40, -20 or 80-")
    return (int(low) if low else None), (int(high) if high else None)


def days_between(text: str) -> tuple[int, int]:
    """The first and the last day of `2024-03-01..2024-03-31`, as days since 1970-01-01; (0, 0) of nothing.
    FilterError."""
    if not text:
        return 0, 0
    first, _, last = text.partition(BETWEEN_DAYS)
    try:
        days = [datetime.date.fromisoformat(each).toordinal() - EPOCH_DAY for each in (first, last)]
    except ValueError:
        raise FilterError(f"first is {text!r}; allowed: two days such as 2024-03-01..2024-03-31") from None
    return days[0], days[1]


def month_number(text: str) -> int:
    """The month of `2024-03`, as months since January 1970; -1 of nothing. FilterError."""
    if not text:
        return -1
    try:
        month = datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise FilterError(f"bought is {text!r}; allowed: a month such as 2024-03") from None
    return 12 * (month.year - 1970) + month.month - 1


def _band_words(text: str) -> str:
    low, _, high = text.partition(OPEN_END)
    if not low:
        return f"under {high}"
    return f"{low} to {high}" if high else f"from {low}"


def _money_words(text: str, currency: str) -> str:
    low, high = band_ends("value", text)
    shown = band(low, high) if not currency else ""
    if shown:
        return _band_words(shown)
    if low is None:
        return f"under {estimate(high or 0, currency)}"
    return (
        f"{estimate(low, currency)} to {estimate(high, currency)}"
        if high is not None
        else f"from {estimate(low, currency)}"
    )
