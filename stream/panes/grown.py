"""The pane `grown`: value tiers and moves between them, growth of the same customers, what to offer next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.look.heat import HeatCell, html_heat
from stream.look.html import Link, Meter, html_table, percent, share_of, signed_percent
from stream.panes.currencies import amount
from stream.panes.places import Places, nowhere
from stream.panes.tiers import of_tiers


def grown(numbers: Mapping[str, Any], places: Places = nowhere) -> str:
    """The pane, without its heading; `numbers` are those of the business report, `priced`."""
    found, currency = numbers["development"], numbers["currency"]
    names = [*numbers["retention"]["by_tier"]]
    parts = [
        _tiers(found, names, places),
        _growth(found["growth"], currency),
        _next_best(found["next_best"], names),
    ]
    return "".join(parts)


def _tiers(found: Mapping[str, Any], names: Sequence[str], places: Places) -> str:
    whole = sum(found["tiers"].values()) or 1
    rows = [
        (Link(name, places({"tier": name})), f"{count:,}", share_of(count, whole), Meter(count / whole))
        for name in reversed(names)
        if (count := found["tiers"].get(name, 0))
    ]
    words = (
        f"<p><b>{found['moved_up']:,}</b> customers moved to a higher value tier in the last 90 days, "
        f"<b>{found['moved_down']:,}</b> to a lower one.</p>"
    )
    return (
        words
        + html_table(("value tier on that day", "customers", "of all with a tier", ""), rows)
        + of_tiers(places)
        + _moves(found["moves"], names, places)
    )


def _moves(moves: Sequence[Mapping[str, Any]], names: Sequence[str], places: Places) -> str:
    """A matrix of customers by the tier of 90 days ago (rows) and of now (columns)."""
    if not any(one["from"] != one["to"] for one in moves):
        return "<p>Nobody changed the tier in these 90 days.</p>"
    counts = {(one["from"], one["to"]): one["customers"] for one in moves}
    most = max(count for (old, new), count in counts.items() if old != new)
    ladder = [*reversed(names)]

    def cell(old: str, new: str) -> HeatCell:
        count = counts.get((old, new), 0)
        if not count:
            return HeatCell("–")
        moved = {"tier": new, "was": old} if old != new else {"tier": new}
        return HeatCell(f"{count:,}", count / most if old != new else None, places(moved))

    rows = [(f"was {old}", [cell(old, new) for new in ladder]) for old in ladder]
    head = ("90 days ago", *(f"is {name}" for name in ladder))
    return html_heat(head, rows, "Moves between value tiers within 90 days") + (
        "<p><small>Customers who had bought before that day. Left of the diagonal: moved up; right of it: moved down."
        "</small></p>"
    )


def _growth(found: Sequence[Mapping[str, Any]], currency: str) -> str:
    rows = [
        (
            one["tier"], f"{one['customers']:,}", amount(one["basket_before_minor"], currency),
            amount(one["basket_now_minor"], currency), _change(one["basket_before_minor"], one["basket_now_minor"]),
            f"{one['orders_before']:.2f}", f"{one['orders_now']:.2f}",
            _change(one["orders_before"], one["orders_now"]),
        )
        for one in reversed(found)
        if one["customers"]
    ]  # fmt: skip
    if not rows:
        return "<p>Nobody has bought long enough to compare two spans of 90 days.</p>"
    head = (
        "tier 180 days ago", "customers", "basket before", "basket now", "change", "orders before", "orders now",
        "change",
    )  # fmt: skip
    return html_table(head, rows) + (
        "<p><small>The same customers in the 90 days after that day and in the last 90 days. Basket: mean amount of an "
        "order. Orders: per customer in 90 days.</small></p>"
    )


def _change(before: float | None, now: float | None) -> str:
    return signed_percent(now / before - 1) if before and now is not None else "–"


def _next_best(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    rows = [
        (one["tier"], one["category"], f"{one['customers']:,}", f"{one['looked']:,}",
         percent(one["bought_by_like"] or None))
        for one in sorted(found, key=lambda one: -names.index(one["tier"]))
    ]  # fmt: skip
    if not rows:
        return "<p>No category to offer next: too few purchases name the categories of their products.</p>"
    head = (
        "tier", "category to offer next", "customers", "of these, looked at it", "similar buyers who buy it",
    )  # fmt: skip
    return html_table(head, rows) + (
        "<p><small>One category per customer that is not among the 24 they buy most: the one they looked at most, or else the "
        "one that buyers of the same categories buy most often. It stands on the page of each customer. Shown are the five most frequent ones of each tier.</small></p>"
    )
