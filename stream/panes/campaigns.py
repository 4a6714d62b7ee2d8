"""Campaigns and channels: what their customers are worth, and what they cost.

Those that won nobody are told in a sentence; they have no value that a line of a table could show. What became
of those among customers whom they did not win is in pays.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.core.calendar import Calendar
from stream.look.html import Link, Meter, html_table, html_text
from stream.panes.currencies import amount
from stream.panes.pays import called, does_it_pay, was_used
from stream.panes.places import Places, nowhere
from stream.time_zones import calendar_in
from stream.wording.amounts import date

NAMED_MAX = 5
"""More campaigns without customers than this are named behind a click only."""
LINES_MAX = 15
"""So many lines are shown, those with the largest cost; the others are behind a click."""


def won_by(numbers: Mapping[str, Any], places: Places = nowhere) -> str:
    """Value against cost, by campaign and by channel, with one explanation for both."""
    basis = numbers["basis"]
    use = numbers.get("campaign_use", [])
    used, titles = {one["name"] for one in use if was_used(one)}, {one["name"]: called(one) for one in use}
    groups = {
        "campaign": [one for one in numbers["campaigns"] if one["customers"] or one["name"] not in used],
        "channel": numbers["channels"],
    }
    calendar = calendar_in(numbers["zone"])
    parts, is_explained = [], False
    for word, found in groups.items():
        winning = [one for one in found if one["customers"]]
        parts.append(_winning(winning, word, numbers["currency"], calendar, places) if winning else "")
        parts.append(
            _without_customers(found, word, numbers["currency"], titles) if found or not used else ""
        )
        is_explained = is_explained or bool(winning)
    if not is_explained:
        return "".join(parts)
    return "".join(parts) + (
        "<p><small>Value: the margin earned so far plus the margin expected in the next "
        f"{basis['horizon_weeks']:.0f} weeks, with a margin of {basis['margin']:.0%} of spending and a "
        f"discount of {basis['annual_discount']:.0%} per year. In brackets, and as a line in the bar: the 90% interval of "
        "the mean. It pays where all of that is more than the cost, and does not where all of it is less. Paid back: the day on which the margin earned had covered the cost.</small></p>"
    )


def _winning(
    found: Sequence[Mapping[str, Any]], word: str, currency: str, calendar: Calendar, places: Places
) -> str:
    most = max((one["worth_high_minor"] for one in found), default=0.0) or 1.0
    rows = [
        (
            Link(one["name"] or "unknown", places({word: one["name"]}) if one["name"] else ""),
            f"{one['customers']:,}",
            _worth(one, currency),
            Meter(*(one[name] / most for name in ("worth_minor", "worth_low_minor", "worth_high_minor"))),
            amount(one["cost_per_customer_minor"], currency),
            _ratio(one),
            does_it_pay(one),
            amount(one["cost_minor"], currency),
            _paid_back(one, calendar),
        )
        for one in found
    ]
    head = (
        word, "customers", "value per customer", f"from 0 to {amount(most, currency)}" if currency else "", "cost per customer", "times its cost", "worth its cost", "cost in all",
        "paid back on",
    )  # fmt: skip
    more = rows[LINES_MAX:]
    folded = f"<details><summary>{len(more)} more {word}s, which cost less</summary>{html_table(head, more)}</details>"
    return html_table(head, rows[:LINES_MAX]) + (folded if more else "")


def _ratio(one: Mapping[str, Any]) -> str:
    """How many times its cost a customer is worth, and the interval of that."""
    if one["ratio"] is None:
        return "–"
    low, high = (
        one[name] / one["cost_per_customer_minor"] for name in ("worth_low_minor", "worth_high_minor")
    )
    return f"{one['ratio']:.1f} ({low:.1f} to {high:.1f})"


def _paid_back(one: Mapping[str, Any], calendar: Calendar) -> str:
    if not one["cost_minor"]:
        return "no cost recorded"
    return "not yet" if one["payback_ms"] is None else date(one["payback_ms"], calendar)


def _without_customers(
    found: Sequence[Mapping[str, Any]], word: str, currency: str, titles: Mapping[str, str]
) -> str:
    """What won nobody, as a sentence: with its cost and its names."""
    if not found:
        return f"<p>No customer is known to have come through a {word}, and no cost of one is recorded.</p>"
    idle = [one for one in found if not one["customers"] and one["name"]]
    nameless = sum(one["cost_minor"] for one in found if not one["customers"] and not one["name"])
    names = [titles.get(one["name"], one["name"]) for one in idle]
    return _idle(idle, names, word, currency) + _nameless(nameless, word, currency)


def _nameless(cost_minor: int, word: str, currency: str) -> str:
    """What was spent on something that costs do not name."""
    if not cost_minor or not currency:
        return ""
    return f"<p>{amount(cost_minor, currency)} of the cost names no {word}.</p>"


def _idle(idle: Sequence[Mapping[str, Any]], names: Sequence[str], word: str, currency: str) -> str:
    if not idle:
        return ""
    cost = sum(one["cost_minor"] for one in idle)
    who, them, they = (f"{len(idle)} {word}s", "them", "they") if len(idle) > 1 else (f"1 {word}", "it", "it")
    spent = f"{they} cost {amount(cost, currency)} in all" if cost and currency else "no cost is recorded"
    text = f"{who}: nobody is known to have come through {them}, {spent}"
    every = html_text(", ".join(names))
    if len(names) <= NAMED_MAX:
        return f"<p>{html_text(text)} ({every}).</p>"
    return f"<details><summary>{html_text(text)}</summary><p>{every}.</p></details>"


def _worth(one: Mapping[str, Any], currency: str) -> str:
    """Mean value per customer and its interval."""
    mean, low, high = (
        amount(one[name], currency) for name in ("worth_minor", "worth_low_minor", "worth_high_minor")
    )
    return f"{mean} ({low} to {high})" if currency else "–"
