"""The business report as one HTML file in plain words; every number with its unit, time span and basis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.look.html import html_document, html_list, html_text
from stream.panes.currencies import currencies_part, money_words, priced
from stream.panes.grown import grown
from stream.panes.kept import kept
from stream.panes.left import left_by_tier
from stream.panes.summary import summary_sentences
from stream.panes.why import dead_ends, drivers
from stream.panes.won import won
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.time_zones import calendar_in
from stream.wording.amounts import date, with_dates


def business_page(numbers: Mapping[str, Any]) -> str:
    """The business report as one HTML document; `numbers` is what `business_report` returned."""
    numbers = priced(numbers)
    calendar, tiers = calendar_in(numbers["zone"]), numbers["retention"]["by_tier"]
    parts = [
        f"<h1>Customers as of {date(numbers['as_of_ms'], calendar)}</h1>",
        f"<p>{numbers['customers']:,} customers have bought at least once. {money_words(numbers)}</p>",
        html_list(summary_sentences(numbers)),
        *currencies_part(numbers),
        "<h2>Won: new customers and what they cost</h2>",
        won(numbers),
        "<h2>Grown: development in the last 90 days</h2>",
        grown(numbers),
        "<h2>Kept: retention</h2>",
        kept(numbers),
        "<h2>Why customers leave or stay</h2>",
        left_by_tier(numbers),
        drivers(numbers["drivers"], [*tiers]),
        "<h2>Dead ends: the last event before customers left</h2>",
        dead_ends(numbers["dead_ends"], [*tiers], recorded=numbers["engagement_recorded"]),
        *report_notes(numbers),
    ]
    return html_document("Customers", parts)


def report_notes(numbers: Mapping[str, Any]) -> list[str]:
    """What is to be said of the numbers as a whole, each as a paragraph; what is for analysts behind a click."""
    of_model = numbers.get("model_notes", [])
    notes = [note for note in numbers["notes"] if note != NO_ALERT_EVER and note not in of_model]
    technical = [note for note in numbers["notes"] if note != NO_ALERT_EVER and note in of_model]
    calendar = calendar_in(numbers["zone"])
    if not calendar.is_utc:
        notes = [f"Days and periods are those of {calendar.zone}.", *notes]
    lines = "".join(f"<p>{html_text(with_dates(note))}</p>" for note in technical)
    folded = (
        f"<details><summary>How risks and values were worked out, for analysts</summary>{lines}</details>"
    )
    newest = numbers.get("newest_event", "")
    shown = [f"<p><small>The newest of these events is of {html_text(newest)}.</small></p>"] if newest else []
    return [
        *shown,
        *(f"<p class=note>{html_text(with_dates(note))}</p>" for note in notes),
        *([folded] if technical else []),
    ]
