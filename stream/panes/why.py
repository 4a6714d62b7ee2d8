"""Why customers leave or stay, with the action of the playbook; and what happened last before they left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.look.html import Meter, html_table, html_text, percent, share_of
from stream.wording.amounts import listed

ODDS_SHOWN_MAX = 1_000
"""Odds above this are shown as `over 1,000`."""
STEPS_MAX = 5
"""Last events that are shown of each tier, the most frequent."""
NOT_RECORDED = (
    "<p>No engagement and no feedback was recorded, only purchases: what customers did last, before they "
    "left, is not known.</p>"
)


def drivers(found: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> str:
    """Behaviours and incidents that go with leaving or staying; those of the highest of the tiers `names`
    first."""
    shown = [one for one in found if one["found"]]
    if not found:
        return "<p>Too few customers left or stayed to compare what they did.</p>"
    if not shown:
        return (
            f"<p>{len(found)} behaviours were compared. None of them goes with leaving or staying more than chance alone "
            "would explain in so many comparisons.</p>"
        )
    parts = []
    for title, is_leaving in (("Why they leave", True), ("Why they stay", False)):
        rows = [
            _driver(one)
            for one in sorted(shown, key=lambda one: -_rank(one["tier"], names))
            if (one["odds_ratio"] > 1) is is_leaving
        ]
        head = (
            "value tier", "behaviour or incident", "left after it", "", "similar customers who left",
            "recommended action" if is_leaving else "what to make of it", "odds ratio (95% interval)", "customers", "times",
        )  # fmt: skip
        parts.append(
            f"<h3>{title}</h3>" + (html_table(head, rows) if rows else "<p>Nothing that was found.</p>")
        )
    return (
        _not_alone(shown, names)
        + "".join(parts)
        + (
            "<p><small>Left: no purchase for 60 days and for three of the customer's own usual gaps. Each time that something went "
            "wrong is compared with customers of the same tier, pace and length of silence on that day to whom it did not happen. "
            "What customers are or like is compared once per customer, within tier, tenure and number of purchases. An odds ratio "
            "of 2 means: for each customer who stayed, twice as many left as among similar customers. Of all lines shown, about "
            "one in twenty may be chance (exact tests, Benjamini-Hochberg). This is a comparison, not a proof of cause.</small></p>"
        )
    )


def _not_alone(shown: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Of which tiers nothing is known by themselves, the highest first."""
    alone = {one["tier"] for one in shown if one["odds_ratio"] > 1}
    above = any(tier.endswith(" and above") for tier in alone)
    missing = [name for name in reversed(names) if name not in alone]
    if not missing:
        return ""
    wider = "those of several tiers together and of everybody" if above else "those of everybody"
    return (
        f"<p>Why {html_text(listed(missing))} customers leave is not known from them alone: too few of them left, or nothing "
        f"went with it more than by chance. For them the lines below, {wider}, are the best answer there is.</p>"
    )


def _rank(tier: str, names: Sequence[str]) -> int:
    """Place of a tier on the ladder; "gold and above" is that of gold, everybody stands last."""
    return next((place for place, name in enumerate(names) if tier.startswith(name)), -1)


def _driver(one: Mapping[str, Any]) -> tuple[str | Meter, ...]:
    return (
        one["tier"], one["name"], left_after(one),
        Meter(one["left_exposed"] or 0.0, is_bad=one["odds_ratio"] > 1), percent(one["left_matched"]),
        one["to_do"] if one["play"] else "none in the playbook",
        f"{_odds(one['odds_ratio'])} ({_odds(one['low'])} to {_odds(one['high'])})",
        f"{one['exposed']:,}", f"{one['occasions']:,}",
    )  # fmt: skip


def left_after(one: Mapping[str, Any]) -> str:
    """The share of those to whom it happened that left; of few occasions their number."""
    if one["left_exposed"] is None:
        return "–"
    return share_of(round(one["left_exposed"] * one["occasions"]), one["occasions"])


def _odds(ratio: float) -> str:
    if ratio > ODDS_SHOWN_MAX:
        return f"over {ODDS_SHOWN_MAX:,}"
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2g}"


def dead_ends(found: Sequence[Mapping[str, Any]], names: Sequence[str], *, recorded: bool) -> str:
    """The last events by tier, the highest of `names` first; without any engagement or feedback they would all
    be purchases."""
    if not recorded:
        return NOT_RECORDED
    if not found:
        return "<p>No customer with at least three purchases has left.</p>"
    shown = [each for name in reversed(names) for each in _of_tier(found, name)[:STEPS_MAX]]
    rows = [
        (one["tier"], event_name(one["last_step"]), f"{one['customers']:,}", Meter(one["share"]),
         share_of(one["customers"], round(one["customers"] / one["share"])))
        for one in shown
    ]  # fmt: skip
    head = ("value tier", "last event", "customers who left", "", "share of all who left in this tier")
    return html_table(head, rows) + (
        "<p><small>Left: no purchase for 60 days and for three of the customer's own usual gaps; only customers with at least "
        f"three purchases are counted, and up to {STEPS_MAX} events of each tier are shown. The last event is the last one of any kind that we received about them. "
        "The tier is that of the time when they still bought, by spending per day until then: that of today falls while nobody buys.</small></p>"
    )


def _of_tier(found: Sequence[Mapping[str, Any]], tier: str) -> list[Mapping[str, Any]]:
    return [one for one in found if one["tier"] == tier]


def event_name(event_type: str) -> str:
    """`feedback.complained` as `feedback: complained`."""
    return event_type.replace(".", ": ").replace("_", " ")
