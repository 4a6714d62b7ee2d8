"""The business report as one HTML file in plain words; every number with its unit, horizon and basis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from stream.look.html import html_document, html_table, percent

ODDS_SHOWN_MAX = 1_000


def business_page(numbers: Mapping[str, Any]) -> str:
    """The whole document."""
    parts = [
        f"<h1>Customers as of {_day(numbers['as_of_ms'])}</h1>",
        f"<p>{numbers['customers']:,} customers who ever bought. Money in {numbers['currency']}.</p>",
        "<h2>Won: acquisition and what it cost</h2>",
        _acquisition(numbers["acquisition"]),
        _worth(numbers, "campaigns", "campaign"),
        _worth(numbers, "channels", "channel"),
        "<h2>Grown: development in the last 90 days</h2>",
        _development(numbers["development"]),
        "<h2>Kept: retention</h2>",
        _retention(numbers["retention"]),
        "<h2>Why they leave, why they stay</h2>",
        _drivers(numbers["drivers"]),
        "<h2>Dead ends: the last thing leavers did</h2>",
        _dead_ends(numbers["dead_ends"]),
    ]
    parts += [f"<p class=note>{escape(note)}</p>" for note in numbers["notes"]]
    return html_document("Customers", parts)


def _acquisition(numbers: Mapping[str, Any]) -> str:
    rows = [
        (
            channel,
            f"{one['customers']:,}",
            f"{one.get('new', 0):,}",
            f"{one.get('settled', 0):,}",
            _settled(one),
        )
        for channel, one in numbers["channels"].items()
    ]
    return (
        f"<p><b>{numbers['new_90_days']:,}</b> customers bought for the first time in the last 90 days; "
        f"{numbers['new_90_days_before']:,} in the 90 days before.</p>"
        + html_table(
            ("channel", "customers", "new in 90 days", "won 90 to 180 days ago", "tier they have now"), rows
        )
    )


def _settled(one: Mapping[str, Any]) -> str:
    """The tiers of customers won in the 90 days before the last 90."""
    mark = "settled_"
    tiers = [f"{count:,} {name.removeprefix(mark)}" for name, count in one.items() if name.startswith(mark)]
    return ", ".join(tiers) or "–"


def _worth(numbers: Mapping[str, Any], group: str, word: str) -> str:
    basis = numbers["basis"]
    rows = [
        (
            one["name"], f"{one['customers']:,}", _money(one["cost_minor"]), _money(one["cost_per_customer_minor"]),
            f"{_money(one['worth_minor'])} ({_money(one['worth_low_minor'])} to {_money(one['worth_high_minor'])})",
            "–" if one["ratio"] is None else f"{one['ratio']:.1f}",
            "not yet" if one["payback_ms"] is None else _day(one["payback_ms"]),
        )
        for one in numbers[group]
    ]  # fmt: skip
    if not rows:
        return f"<p>No customer came with a known {word}.</p>"
    head = (
        word,
        "customers",
        "cost",
        "cost per customer",
        "worth per customer",
        "worth : cost",
        "paid back on",
    )
    return html_table(head, rows) + (
        f"<small>Worth: earned so far plus expected earnings of the next {basis['horizon_weeks']:.0f} weeks, at a margin of "
        f"{basis['margin']:.0%} and {basis['annual_discount']:.0%} discount a year; in brackets the 90% interval of the "
        f"mean. Paid back: when earnings so far had covered the {word}'s cost.</small>"
    )


def _development(numbers: Mapping[str, Any]) -> str:
    tiers = ", ".join(f"{count:,} {name}" for name, count in numbers["tiers"].items())
    rows = [
        (one["from"], one["to"], f"{one['customers']:,}")
        for one in numbers["moves"]
        if one["from"] != one["to"]
    ]
    return (
        f"<p>Now {tiers}. <b>{numbers['moved_up']:,}</b> customers rose to a higher tier, "
        f"<b>{numbers['moved_down']:,}</b> fell.</p>"
        + html_table(("from", "to", "customers"), rows)
        + _growth(numbers["growth"])
        + _next_best(numbers["next_best"])
    )


def _growth(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            one["tier"], f"{one['customers']:,}", _money(one["basket_before_minor"]), _money(one["basket_now_minor"]),
            f"{one['orders_before']:.2f}", f"{one['orders_now']:.2f}",
        )
        for one in found
    ]  # fmt: skip
    head = ("tier 90 days ago", "customers", "basket before", "basket now", "orders before", "orders now")
    return html_table(head, rows) + (
        "<small>The same customers, in the 90 days before that day and in the 90 days since. Basket: mean money of an "
        "order. Orders: per customer in 90 days.</small>"
    )


def _next_best(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (one["tier"], one["category"], f"{one['customers']:,}", f"{one['looked']:,}",
         percent(one["bought_by_like"] or None))
        for one in found
    ]  # fmt: skip
    head = ("tier", "next best category", "customers", "looked at it already", "like customers who buy it")
    return html_table(head, rows) + (
        "<small>For each customer one category that is not among those they buy most (24 are kept): what they looked "
        "at most, or else what buyers of the same categories buy most often. The five commonest of each tier.</small>"
    )


def _retention(numbers: Mapping[str, Any]) -> str:
    unit = numbers["period"]
    tiers = [
        (
            name,
            f"{one['customers']:,}",
            f"{one['at_risk']:,}",
            f"{one['lost']:,}",
            _money(one["value_at_risk_minor"]),
        )
        for name, one in numbers["by_tier"].items()
    ]
    rates = [
        ("all" if one["cohort"] < 0 else f"first bought in {unit} {one['cohort'] + 1}", f"{unit} {one['period'] + 1}",
         f"{one['active']:,}", f"{one['again']:,}", percent(one["rate"]))
        for one in numbers["rates"]
    ]  # fmt: skip
    simple, true = numbers["simple_lifetime_periods"], numbers["sbg_lifetime_periods"]
    words = ""
    if simple and true:
        words = (
            f"<p>The school formula 1 / (1 - retention) gives a lifetime of {simple:.1f} {unit}s. It takes the first "
            f"{unit}'s rate for ever and for everybody; but the disloyal leave first, so those who remain stay longer. "
            f"With that counted (shifted beta-geometric model, discounted) a lifetime is <b>{true:.1f} {unit}s</b>.</p>"
        )
    return (
        f"<p>At risk: the chance that they buy nothing in the time in which they usually would have bought twice (at "
        f"least a week, at most a year) is {numbers['raise_at']:.0%} or more.</p>"
        + html_table(("tier", "customers", "at risk", "probably lost", "spending of late at risk"), tiers)
        + _saved(numbers)
        + words
        + _by_value(numbers)
        + html_table(("who", "bought in", "customers", f"again in the next {unit}", "retention"), rates)
        + f"<small>Only {unit}s that are over are shown.</small>"
    )


def _by_value(numbers: Mapping[str, Any]) -> str:
    unit = numbers["period"]
    rows = [
        (one["segment"], f"{one['active']:,}", f"{one['again']:,}", percent(one["rate"]))
        for one in numbers["by_value"]
    ]
    head = (
        "customers by spending in a period",
        f"bought in a {unit}",
        f"again in the next {unit}",
        "retention",
    )
    return html_table(head, rows)


def _saved(numbers: Mapping[str, Any]) -> str:
    rows = [
        (
            one["tier"], f"{one['at_risk']:,}", f"{one['came_back']:,}", f"{one['expected_back']:.0f}",
            _money(one["value_back_minor"]),
        )
        for one in numbers["saved"]
    ]  # fmt: skip
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in numbers["outcomes"].items())
    return (
        html_table(
            ("tier 90 days ago", "at risk then", "bought since", "expected by their risk", "spent since"),
            rows,
        )
        + "<small>Saved: who was at risk and bought again. Some would have come back anyway: as many as expected, "
        "once their own horizon has passed.</small>"
        + (f"<p>Reported outcomes of actions: {told}.</p>" if told else "")
    )


def _drivers(found: Sequence[Mapping[str, Any]]) -> str:
    shown = [one for one in found if one["found"]]
    if not shown:
        return (
            f"<p>None of {len(found)} behaviours that were compared goes with leaving or staying beyond what chance "
            "makes of so many comparisons.</p>"
        )
    rows = [
        (
            one["tier"], one["name"], f"{one['exposed']:,}", f"{one['occasions']:,}", percent(one["left_exposed"]),
            percent(one["left_matched"]), f"{_odds(one['odds_ratio'])} ({_odds(one['low'])} to {_odds(one['high'])})",
            "leave" if one["odds_ratio"] > 1 else "stay",
            f"{one['to_do']} ({one['play']})" if one["play"] else "none in the playbook",
        )
        for one in shown
    ]  # fmt: skip
    head = (
        "value tier", "what happened", "customers", "times looked at", "left after it", "of like customers left",
        "odds (95% interval)", "so they rather", "action plan",
    )  # fmt: skip
    return html_table(head, rows) + (
        "<small>Left: bought nothing for 60 days and for three of their own usual gaps. When something went wrong, "
        "each time is compared with customers of the same tier, pace and length of silence on that day who were "
        "spared; what customers are or like is compared once for each, within tier, tenure and number of purchases. "
        "Odds of 2: for each one who stayed, twice as many left as among like customers. Of all lines shown at most one "
        "in twenty is expected to be chance (exact tests, Benjamini-Hochberg). It is a contrast, no proof of cause.</small>"
    )


def _odds(ratio: float) -> str:
    if ratio > ODDS_SHOWN_MAX:
        return f"over {ODDS_SHOWN_MAX:,}"
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _dead_ends(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (one["tier"], _step(one["last_step"]), f"{one['customers']:,}", percent(one["share"]))
        for one in found
    ]
    return html_table(
        ("value tier", "last thing heard", "customers who left", "share of the tier's leavers"), rows
    ) + (
        "<small>Left: bought nothing for 60 days and for three of their own usual gaps; only customers with three "
        "purchases are counted. The last thing is what we last heard of them, of whatever kind.</small>"
    )


def _step(touch: str) -> str:
    """`feedback.complained` as `feedback: complained`."""
    return touch.replace(".", ": ").replace("_", " ")


def _day(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")


def _money(minor: float | None) -> str:
    return "–" if minor is None else f"{minor / 100:,.2f}"
