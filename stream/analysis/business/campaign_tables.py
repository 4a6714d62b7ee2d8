"""Campaigns and channels on the page of the business report: what their customers are worth, and what they
cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from stream.analysis.business.currencies import amount
from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.look.html import html_table
from stream.time_zones import calendar_in


def won_by(numbers: Mapping[str, Any]) -> str:
    """Value against cost, by campaign and by channel, with one explanation for both."""
    basis = numbers["basis"]
    groups = {"campaign": numbers["campaigns"], "channel": numbers["channels"]}
    money, calendar = numbers["currency"], calendar_in(numbers["zone"])
    tables = [_campaigns(found, word, money, calendar) for word, found in groups.items() if found]
    missing = [word for word, found in groups.items() if not found]
    if missing:
        tables.append(f"<p>No customer came through a known {' or '.join(missing)}.</p>")
    if len(missing) == len(groups):
        return "".join(tables)
    return "".join(tables) + (
        "<small>Value: the margin earned so far plus the margin expected in the next "
        f"{basis['horizon_weeks']:.0f} weeks, with a margin of {basis['margin']:.0%} of spending and a "
        f"discount of {basis['annual_discount']:.0%} per year. In brackets: the 90% interval of the mean. "
        "Paid back: the day on which the margin earned had covered the cost.</small>"
    )


def _campaigns(found: Sequence[Mapping[str, Any]], word: str, currency: str, calendar: Calendar) -> str:
    rows = [
        (
            one["name"] or "unknown", f"{one['customers']:,}", amount(one["cost_minor"], currency),
            amount(one["cost_per_customer_minor"], currency), _worth(one, currency),
            "–" if one["ratio"] is None else f"{one['ratio']:.1f}",
            "not yet" if one["payback_ms"] is None else day_words(one["payback_ms"], calendar),
        )
        for one in found
    ]  # fmt: skip
    head = (
        word, "customers", "cost", "cost per customer", "value per customer", "value : cost", "paid back on",
    )  # fmt: skip
    return html_table(head, rows)


def _worth(one: Mapping[str, Any], currency: str) -> str:
    """Mean value per customer and its interval; a dash where there is no customer."""
    mean, low, high = (
        amount(one[name], currency) for name in ("worth_minor", "worth_low_minor", "worth_high_minor")
    )
    return f"{mean} ({low} to {high})" if one["customers"] and currency else "–"


def day_words(at_ms: int, calendar: Calendar = UTC_CALENDAR) -> str:
    """The day of the business of an instant: `2025-12-31`."""
    return datetime.fromtimestamp(calendar.local_ms(at_ms) / 1_000, UTC).strftime("%Y-%m-%d")
