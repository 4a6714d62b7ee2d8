"""The list of open alerts of one kind and currency: its filters, its pages, its rows for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from stream.core.alerts.alert import AlertData
from stream.core.alerts.build import open_alert_at
from stream.core.alerts.whole_days import since_later
from stream.core.facts.interests import top_categories
from stream.core.policy.policy import AlertKind
from stream.page.entries import NOT_KNOWN, OpenEntry, unpacked
from stream.page.screens.counts import open_counted
from stream.page.screens.csv_text import Cell
from stream.page.screens.masked import customer_of
from stream.page.screens.view import (
    BETWEEN,
    KIND_TABS,
    Choice,
    View,
    cursor_parts,
    known_filters,
    number,
    one_of,
    plain_amount,
)
from stream.page.store.store import Reading, Row
from stream.page.stored_profiles import whole_profile
from stream.wording.alert import reason_lines, to_do_words
from stream.worker.rows.stored import read_profile

FILTERS = ("kind", "currency", "since", "tier", "urgent", "sort", "after")
SORTS = {"": ("worth", "risen lately"), "lost": ("likely_lost", "money likely to be lost")}
"""Name in the URL -> column, words. What may be gained is in no danger: its list has the first order only."""
UNSORTED = "upgrade_opportunity"
LAST = "last "
"""Begins a cursor among those whom nobody may contact, who stand after all others."""
ROWS_READ = 500
"""Rows of one read of an export."""
COLUMNS = tuple(OpenEntry.__struct_fields__)
CSV_HEAD = (
    "customer", "tier", "tier before", "tier since", "alert", "urgent", "open since", "score",
    "score 30 days before", "at stake", "at stake low", "at stake high", "currency", "why", "to do",
    "likely to be lost",
)  # fmt: skip

CATEGORY_WORDS = {
    "the category they buy most": "{0}",
    "what they usually buy": "what they usually buy, such as {0}",
}
"""What an action may say of a category, and how it says it with the name."""
CATEGORY_LETTERS_MAX = 60
"""A longer name is left out: it would hide what to do."""

LAST_SENT = (
    "SELECT id FROM alerts WHERE customer = ? AND kind = ? AND at_ms >= ? "
    "AND state IN ('raised', 'escalated') ORDER BY sequence DESC LIMIT 1"
)
"""A profile does not tell it: the id names the policy in force then, and an alert that was severe when it was
raised was sent as raised."""

_decoded = msgspec.json.Decoder(AlertData).decode


def alert_of(reading: Reading, entry: OpenEntry, view: View) -> AlertData:
    """The alert of an entry, as of the instant of its row."""
    if entry.data:
        return _decoded(entry.data)
    sql = "SELECT p.body, c.as_of_ms FROM profiles p JOIN customers c USING (customer) WHERE customer = ?"
    body, as_of_ms = reading.one(sql, [entry.customer])
    kind: AlertKind = entry.kind  # type: ignore[assignment]
    return open_alert_at(kind, read_profile(unpacked(bytes(body))), as_of_ms, view.basis)


def with_category(reading: Reading, customer: str, data: AlertData) -> AlertData:
    """The alert with the name of the category that its action speaks of, where one is known: the last part of
    a path such as `Food/Drinks`."""
    action = data.recommended_action
    spoken = [words for words in CATEGORY_WORDS if action is not None and words in action.text]
    if action is None or not spoken:
        return data
    stored = reading.rows("SELECT body FROM profiles WHERE customer = ?", [customer])
    profiles = [whole_profile(body) for (body,) in stored]
    bought = [profile.interests.bought for profile in profiles if profile is not None]
    if not any(bought):
        return data
    (category,) = top_categories(bought[0], 1)
    name = category.rsplit("/", 1)[-1].strip() or category
    if len(name) > CATEGORY_LETTERS_MAX:
        return data
    text = action.text.replace(spoken[0], CATEGORY_WORDS[spoken[0]].format(name))
    return replace(data, recommended_action=replace(action, text=text))


def today_filters(query: Mapping[str, str], view: View) -> dict[str, str]:
    """The filters of the URL; FilterError."""
    found = known_filters(query, FILTERS)
    one_of("kind", found["kind"], KIND_TABS)
    one_of("since", found["since"], ("yesterday",))
    one_of("tier", found["tier"], view.basis.tier_names)
    one_of("urgent", found["urgent"], ("yes",))
    one_of("sort", found["sort"], [name for name in SORTS if name])
    found["kind"] = found["kind"] or next(iter(KIND_TABS))
    if found["kind"] == UNSORTED:
        found["sort"] = ""
    return found


def today_export(reading: Reading, filters: Mapping[str, str], view: View) -> tuple[list[list[Cell]], str]:
    """The next rows of the list for an export, in the same order, and the place after them; empty at the
    end."""
    found = open_page(reading, filters, view, ROWS_READ)
    following = cursor(found[-1], filters, view) if len(found) == ROWS_READ else ""
    return [_cells(entry, named_alert(reading, entry, view), view) for entry in found], following


def orders(filters: Mapping[str, str]) -> list[Choice]:
    """The orders that the list can have; none to choose where there is one only."""
    if filters["kind"] == UNSORTED:
        return []
    return [Choice(name, words, name == filters["sort"]) for name, (_, words) in SORTS.items()]


def named_alert(reading: Reading, entry: OpenEntry, view: View) -> AlertData:
    """The alert of an entry, as of the instant of its row, with the category that it speaks of named, and
    with the id under which it was sent. What has lasted since something is as of the view: a silence has as
    many days as in all other words."""
    data = with_category(reading, entry.customer, alert_of(reading, entry, view))
    looked = reading.rows("SELECT as_of_ms FROM customers WHERE customer = ?", [entry.customer])
    passed_ms = view.as_of_ms - looked[0][0] if looked else 0
    data = replace(data, evidence=tuple(since_later(each, passed_ms) for each in data.evidence))
    sent = reading.rows(LAST_SENT, [entry.customer, entry.kind, entry.opened_ms])
    return replace(data, alert_id=sent[0][0]) if sent else data


def with_currency(reading: Reading, filters: Mapping[str, str], view: View) -> dict[str, str]:
    """The filters with the currency of most open alerts of the kind where none is named."""
    found = currencies(reading, filters["kind"], view)
    return {**filters, "currency": filters["currency"] or (found[0][0] if found else "")}


def currencies(reading: Reading, kind: str, view: View) -> list[Row]:
    """Each currency with its number of open alerts, most first."""
    found = open_counted(reading, ("currency",), "kind = ?", [kind], muted_after_ms=view.as_of_ms)
    return sorted([row[:2] for row in found], key=lambda row: (-row[1], row[0]))


def not_muted(view: View) -> tuple[str, list[int]]:
    """The condition that somebody wants to hear of the customer, and its parameters."""
    return (
        "NOT EXISTS (SELECT 1 FROM mutes m WHERE m.customer = open_alerts.customer AND m.until_ms > ?)",
        [view.as_of_ms],
    )


def counted_condition(filters: Mapping[str, str], view: View) -> tuple[str, list[str | int | float]]:
    """What of the condition of the list open alerts are counted by, and its parameters."""
    where = "kind = ? AND currency = ?"
    values: list[str | int | float] = [filters["kind"], filters["currency"]]
    if filters["tier"]:
        where += " AND tier = ?"
        values.append(view.basis.tier_names.index(filters["tier"]))
    if filters["urgent"]:
        where += " AND urgent = 1"
    return where, values


def condition(filters: Mapping[str, str], view: View) -> tuple[str, list[str | int | float]]:
    """The condition of the list, without its place, and its parameters."""
    where, values = counted_condition(filters, view)
    heard, until = not_muted(view)
    where += f" AND {heard}"
    values += until
    if filters["since"]:
        where += " AND opened_ms >= ?"
        values.append(view.yesterday_ms)
    return where, values


def open_page(reading: Reading, filters: Mapping[str, str], view: View, limit: int) -> list[OpenEntry]:
    """Up to `limit` open alerts from the place of the filters on, worst first; whom nobody may contact after
    all others."""
    place = _Place(0)
    if filters["after"]:
        level, stake, shown = cursor_parts(filters["after"], 3)
        worth, customer = number(level.removeprefix(LAST)), customer_of(reading, shown, view)
        place = _Place(int(level.startswith(LAST)), (worth, number(stake), customer))
    found = _part(reading, filters, view, place, limit)
    if len(found) < limit and not place.closed:
        found += _part(reading, filters, view, _Place(1), limit - len(found))
    return found


class _Place(NamedTuple):
    """Where a part of the list begins."""

    closed: int
    """1: among those whom nobody may contact."""
    after: tuple[float, float, str] | None = None
    """Worth, mean of the stake and customer of the row before; None: at its beginning."""


def _part(
    reading: Reading, filters: Mapping[str, str], view: View, place: _Place, limit: int
) -> list[OpenEntry]:
    where, values = condition(filters, view)
    column, _ = SORTS[filters["sort"]]
    where, values = f"{where} AND closed_to_us = ?", [*values, place.closed]
    if place.after is not None:
        worth, stake, customer = place.after
        where += (
            f" AND {column} <= ? AND ({column} < ? OR stake_mean < ? OR (stake_mean = ? AND customer > ?))"
        )
        values += [worth, worth, stake, stake, customer]
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM open_alerts WHERE {where} "
        f"ORDER BY {column} DESC, stake_mean DESC, customer LIMIT ?"
    )
    return [OpenEntry(*row) for row in reading.rows(sql, [*values, limit])]


def cursor(entry: OpenEntry, filters: Mapping[str, str], view: View) -> str:
    """The place after an entry, in the order of the filters."""
    level: float = getattr(entry, SORTS[filters["sort"]][0])
    part = LAST if entry.closed_to_us else ""
    return BETWEEN.join((f"{part}{level!r}", repr(entry.stake_mean), view.shown(entry.customer)))


def _mean_minor(entry: OpenEntry) -> int:
    """The mean of what is at stake, which adds up to the sum of the list; medians do not."""
    return round(entry.stake_mean) if entry.stake_minor != NOT_KNOWN else NOT_KNOWN


def _cells(entry: OpenEntry, data: AlertData, view: View) -> list[Cell]:
    currency = entry.currency
    action = data.recommended_action
    return [
        view.shown(entry.customer),
        view.tier_name(entry.tier),
        view.tier_name(entry.tier_before) if entry.tier_before >= 0 else "",
        view.iso_day(entry.tier_since_ms),
        KIND_TABS[entry.kind],
        "yes" if entry.urgent else "no",
        view.iso_day(entry.opened_ms),
        round(entry.score, 4),
        round(entry.score_before, 4),
        *(
            plain_amount(m, currency) if m != NOT_KNOWN else ""
            for m in (_mean_minor(entry), entry.stake_low_minor, entry.stake_high_minor)
        ),
        currency,
        "; ".join(reason_lines(data, view.calendar, view.as_of_ms)),
        to_do_words(data) if action is not None else "",
        plain_amount(round(entry.likely_lost), currency) if entry.stake_minor != NOT_KNOWN else "",
    ]
