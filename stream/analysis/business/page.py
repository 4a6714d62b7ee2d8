"""The business report as one HTML file in plain words; every number with its unit, time span and basis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stream.analysis.business.campaign_tables import day_words, won_by
from stream.analysis.business.currencies import amount, currencies_part, money_words, priced
from stream.core.calendar import Calendar
from stream.look.html import html_document, html_table, html_text, percent
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.time_zones import calendar_in

ODDS_SHOWN_MAX = 1_000
"""Odds above this are shown as `over 1,000`."""


def business_page(numbers: Mapping[str, Any]) -> str:
    """The business report as one HTML document; `numbers` is what `business_report` returned."""
    numbers = priced(numbers)
    calendar = calendar_in(numbers["zone"])
    parts = [
        f"<h1>Customers as of {day_words(numbers['as_of_ms'], calendar)}</h1>",
        f"<p>{numbers['customers']:,} customers have bought at least once. {money_words(numbers)}</p>",
        *currencies_part(numbers),
        "<h2>Won: new customers and what they cost</h2>",
        _acquisition(numbers["acquisition"], numbers["retention"]["by_tier"]),
        won_by(numbers),
        "<h2>Grown: development in the last 90 days</h2>",
        _development(numbers["development"], numbers["currency"]),
        "<h2>Kept: retention</h2>",
        _retention(numbers["retention"], numbers["currency"], calendar),
        "<h2>Why customers leave or stay</h2>",
        _drivers(numbers["drivers"]),
        "<h2>Dead ends: the last event before customers left</h2>",
        _dead_ends(numbers["dead_ends"], recorded=numbers["engagement_recorded"]),
    ]
    notes = [note for note in numbers["notes"] if note != NO_ALERT_EVER]
    if not calendar.is_utc:
        notes = [f"Days and periods are those of {calendar.zone}.", *notes]
    parts += [f"<p class=note>{html_text(note)}</p>" for note in notes]
    return html_document("Customers", parts)


def _acquisition(numbers: Mapping[str, Any], tiers: Iterable[str]) -> str:
    rows = [
        (
            channel,
            f"{one['customers']:,}",
            f"{one.get('new', 0):,}",
            f"{one.get('settled', 0):,}",
            _settled(one, tiers),
        )
        for channel, one in numbers["channels"].items()
    ]
    head = (
        "channel",
        "customers",
        "new in the last 90 days",
        "new 90 to 180 days ago",
        "the tiers these have now",
    )
    return (
        f"<p><b>{numbers['new_90_days']:,}</b> customers bought for the first time in the last 90 days; "
        f"{numbers['new_90_days_before']:,} in the 90 days before that.</p>" + html_table(head, rows)
    )


def _settled(one: Mapping[str, Any], tiers: Iterable[str]) -> str:
    """The current tiers of customers won 90 to 180 days ago, the lowest first."""
    counts = {name: one.get(f"settled_{name}", 0) for name in tiers}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "–"


def _development(numbers: Mapping[str, Any], currency: str) -> str:
    tiers = ", ".join(f"{count:,} {name}" for name, count in numbers["tiers"].items())
    rows = [
        (one["from"], one["to"], f"{one['customers']:,}")
        for one in numbers["moves"]
        if one["from"] != one["to"]
    ]
    return (
        f"<p>Value tiers now: {tiers}. <b>{numbers['moved_up']:,}</b> customers moved to a higher tier, "
        f"<b>{numbers['moved_down']:,}</b> to a lower one.</p>"
        + (html_table(("from", "to", "customers"), rows) if rows else "")
        + _growth(numbers["growth"], currency)
        + _next_best(numbers["next_best"])
    )


def _growth(found: Sequence[Mapping[str, Any]], currency: str) -> str:
    rows = [
        (
            one["tier"], f"{one['customers']:,}", amount(one["basket_before_minor"], currency),
            amount(one["basket_now_minor"], currency),
            f"{one['orders_before']:.2f}", f"{one['orders_now']:.2f}",
        )
        for one in found
    ]  # fmt: skip
    head = ("tier 90 days ago", "customers", "basket before", "basket now", "orders before", "orders now")
    return html_table(head, rows) + (
        "<small>The same customers in the 90 days before that day and in the 90 days since. Basket: mean amount of an "
        "order. Orders: per customer in 90 days.</small>"
    )


def _next_best(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (one["tier"], one["category"], f"{one['customers']:,}", f"{one['looked']:,}",
         percent(one["bought_by_like"] or None))
        for one in found
    ]  # fmt: skip
    if not rows:
        return "<p>No category to offer next: too few purchases name the categories of their products.</p>"
    head = (
        "tier",
        "category to offer next",
        "customers",
        "of these, looked at it",
        "similar buyers who buy it",
    )
    return html_table(head, rows) + (
        "<small>One category per customer that is not among the 24 they buy most: the one they looked at most, or else the "
        "one that buyers of the same categories buy most often. Shown are the five most frequent ones of each tier.</small>"
    )


def _retention(numbers: Mapping[str, Any], currency: str, calendar: Calendar) -> str:
    unit, starts = numbers["period"], [day_words(at_ms, calendar) for at_ms in numbers["starts_ms"]]
    tiers = [
        (
            name, f"{one['customers']:,}", f"{one['at_risk']:,}", f"{one['lost']:,}",
            amount(one["value_at_risk_minor"], currency),
        )
        for name, one in numbers["by_tier"].items()
    ]  # fmt: skip
    rates = [
        ("all" if one["cohort"] < 0 else f"first bought in the {unit} from {starts[one['cohort']]}",
         starts[one["period"]], f"{one['active']:,}", f"{one['again']:,}", percent(one["rate"]))
        for one in numbers["rates"]
        if one["active"]
    ]  # fmt: skip
    return (
        f"<p>At risk: the probability is {numbers['raise_at']:.0%} or more that they buy nothing in the time in which they "
        "usually buy twice (at least a week, at most a year).</p>"
        + html_table(("tier", "customers", "at risk", "probably lost", "recent spending at risk"), tiers)
        + _win_backs(numbers, currency)
        + _lifetime(numbers)
        + _by_value(numbers)
        + html_table(
            ("who", f"bought in the {unit} from", "customers", f"bought in the next {unit} too", "retention"),
            rates,
        )
        + f"<small>Only {unit}s that are over are shown.</small>"
    )


def _lifetime(numbers: Mapping[str, Any]) -> str:
    unit, simple, fitted = (
        numbers["period"],
        numbers["simple_lifetime_periods"],
        numbers["sbg_lifetime_periods"],
    )
    if not (simple and fitted):
        return ""
    return (
        f"<p>The textbook formula 1 / (1 - retention) gives a customer lifetime of {simple:.1f} {unit}s. It assumes that the "
        f"rate of the first {unit} holds for everybody and for ever. But the least loyal customers leave first, so those who "
        "remain stay longer. The shifted beta-geometric model takes this into account: with it the (discounted) lifetime is "
        f"<b>{fitted:.1f} {unit}s</b>.</p>"
    )


def _by_value(numbers: Mapping[str, Any]) -> str:
    unit = numbers["period"]
    rows = [
        (one["segment"], f"{one['active']:,}", f"{one['again']:,}", percent(one["rate"]))
        for one in numbers["by_value"]
    ]
    head = (
        f"customers by spending in a {unit}",
        f"bought in a {unit}",
        f"bought in the next {unit} too",
        "retention",
    )
    return html_table(head, rows)


def _win_backs(numbers: Mapping[str, Any], currency: str) -> str:
    rows = [
        (
            one["tier"], f"{one['at_risk']:,}", f"{one['came_back']:,}", f"{one['expected_back']:.0f}",
            amount(one["value_back_minor"], currency),
        )
        for one in numbers["saved"]
    ]  # fmt: skip
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in numbers["outcomes"].items())
    head = ("tier 90 days ago", "at risk then", "bought since", "expected to buy anyway", "spent since")
    return (
        html_table(head, rows)
        + "<small>Customers at risk 90 days ago who have bought again since. Some would have come back without any action: "
        "about as many as expected from their risk, once their own horizon has passed.</small>"
        + (f"<p>Reported outcomes of actions: {html_text(outcomes)}.</p>" if outcomes else "")
    )


def _drivers(found: Sequence[Mapping[str, Any]]) -> str:
    shown = [one for one in found if one["found"]]
    if not found:
        return "<p>Too few customers left or stayed to compare what they did.</p>"
    if not shown:
        return (
            f"<p>{len(found)} behaviours were compared. None of them goes with leaving or staying more than chance alone "
            "would explain in so many comparisons.</p>"
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
        "value tier", "behaviour or incident", "customers", "times", "left after it", "similar customers who left",
        "odds ratio (95% interval)", "more likely to", "recommended action",
    )  # fmt: skip
    return html_table(head, rows) + (
        "<small>Left: no purchase for 60 days and for three of the customer's own usual gaps. Each time that something went "
        "wrong is compared with customers of the same tier, pace and length of silence on that day to whom it did not happen. "
        "What customers are or like is compared once per customer, within tier, tenure and number of purchases. An odds ratio "
        "of 2 means: for each customer who stayed, twice as many left as among similar customers. Of all lines shown, about "
        "one in twenty may be chance (exact tests, Benjamini-Hochberg). This is a comparison, not a proof of cause.</small>"
    )


def _odds(ratio: float) -> str:
    if ratio > ODDS_SHOWN_MAX:
        return f"over {ODDS_SHOWN_MAX:,}"
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _dead_ends(found: Sequence[Mapping[str, Any]], *, recorded: bool) -> str:
    """The last events by tier; without any engagement or feedback they would all be purchases."""
    if not recorded:
        return (
            "<p>No engagement and no feedback was recorded, only purchases: what customers did last, before they "
            "left, is not known.</p>"
        )
    if not found:
        return "<p>No customer with at least three purchases has left.</p>"
    rows = [
        (one["tier"], _event_name(one["last_step"]), f"{one['customers']:,}", percent(one["share"]))
        for one in found
    ]
    head = ("value tier", "last event", "customers who left", "share of all who left in this tier")
    return html_table(head, rows) + (
        "<small>Left: no purchase for 60 days and for three of the customer's own usual gaps; only customers with at least "
        "three purchases are counted. The last event is the last one of any kind that we received about them.</small>"
    )


def _event_name(event_type: str) -> str:
    """`feedback.complained` as `feedback: complained`."""
    return event_type.replace(".", ": ").replace("_", " ")
