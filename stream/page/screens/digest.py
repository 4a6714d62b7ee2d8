"""The day in one page, for a mail: who needs us today, what is at stake, what to do, and what changed.

It is read by the queries of the first screen, so a mail and the page never say two things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from msgspec import Struct

from stream.page.published import BY_THE_SAME, other_basis
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import OpenRow, TodayScreen, today
from stream.page.screens.unlike_tiers import tiers_unlike
from stream.page.screens.view import KIND_TABS, View
from stream.page.store.store import Reading
from stream.panes.currencies import priced
from stream.panes.summary import summary_sentences
from stream.printable import printable
from stream.wording.amounts import count

ROWS_SHOWN = 5
WIDTH = 78
"""Letters of a line of text: mails are wrapped there."""


class KindOfDay(Struct, frozen=True):
    """The open alerts of one kind in one currency."""

    title: str
    summary: str
    rows: list[OpenRow]
    more: int


class Digest(Struct, frozen=True):
    """What the mail says."""

    title: str
    unlike: str
    """That the model does not fit these customers; empty where it seems to."""
    kinds: list[KindOfDay]
    business: list[str]
    """The sentences of the last report; empty: none was published."""
    business_day: str
    source: str


def digest(reading: Reading, view: View, report: Mapping[str, Any] | None = None) -> Digest:
    """The day of the view; `report`: the numbers that were published last."""
    kinds = [each for kind in KIND_TABS for each in _kinds(reading, kind, view)]
    other = other_basis(report, view.basis) if report is not None else ""
    sentences = _business(report, other) if report is not None else []
    return Digest(
        title=f"Customers on {view.date(view.as_of_ms)}" if view.as_of_ms else "Customers",
        unlike=" ".join(tiers_unlike(reading, view) or ()),
        kinds=kinds,
        business=sentences,
        business_day=view.date(report["as_of_ms"]) if report is not None else "",
        source=f"From {view.source}, by policy {view.basis.policy.id}; days end at midnight {view.zone}.",
    )


def _business(report: Mapping[str, Any], other: str) -> list[str]:
    """What the last report said; where it is by another policy or model than the mail, one line on that."""
    if not other:
        return summary_sentences(priced(report))
    return [
        f"The report is by {other} than this mail: its tiers and risks are others, so it is left out. "
        f"To publish one that belongs here: {BY_THE_SAME}"
    ]


def _kinds(reading: Reading, kind: str, view: View) -> list[KindOfDay]:
    """One for each currency in which an alert of the kind is open; without any, one that says so."""
    first = today(reading, today_filters({"kind": kind}, view), view)
    screens = [first]
    for other in first.currencies:
        if not other.here:
            query = {"kind": kind, "currency": "" if other.title == "none" else other.title}
            screens.append(today(reading, today_filters(query, view), view))
    several = len(screens) > 1
    return [_kind(screen, screen.filters["currency"] if several else "") for screen in screens]


def _kind(screen: TodayScreen, currency: str) -> KindOfDay:
    title = KIND_TABS[screen.kind] + (f" ({currency})" if currency else "")
    total = screen.total
    if not total.customers:
        return KindOfDay(title, "Nobody today.", [], 0)
    over = "" if screen.over is None else f", {screen.over:,} over"
    spread = f" (8 in 10 chances: {total.spread})" if total.spread else ""
    summary = (
        f"{count(total.customers, 'customer')}, {total.stake} of profit at stake{spread}; "
        f"{screen.new:,} new{over} since yesterday."
    )
    shown = screen.rows[:ROWS_SHOWN]
    return KindOfDay(title, summary, shown, total.customers - len(shown))


def digest_text(found: Digest) -> str:
    """The digest as text for a mail, in lines of 78 letters."""
    lines = [found.title, "=" * len(found.title), ""]
    if found.unlike:
        lines += [*_wrapped(f"Note: {found.unlike}"), ""]
    for kind in found.kinds:
        lines += [kind.title, "-" * len(kind.title), *wrap(kind.summary, WIDTH)]
        for place, row in enumerate(kind.rows, start=1):
            lines += ["", *_wrapped(f"{place}. {row.who} ({row.tier}), {_stake(row)}")]
            lines += _wrapped(f"   Why: {'; '.join(row.why)}{_more(row)}")
            lines += _wrapped(f"   Since: {row.since}; {row.score}, {row.change}")
            lines += _wrapped(f"   To do: {row.to_do}")
        if kind.more and kind.rows:
            lines += ["", f"and {count(kind.more, 'more customer')}."]
        lines.append("")
    if found.business:
        title = f"The business as of {found.business_day}"
        lines += [title, "-" * len(title)]
        lines += [line for each in found.business for line in _wrapped(f"- {each}")]
        lines.append("")
    return "\n".join([*lines, *_wrapped(found.source)]) + "\n"


def _stake(row: OpenRow) -> str:
    return f"{row.stake} at stake ({row.spread})" if row.spread else "what is at stake is not known"


def _more(row: OpenRow) -> str:
    return f"; and {count(row.more, 'more reason')}" if row.more else ""


def _wrapped(line: str) -> Sequence[str]:
    return wrap(printable(line), WIDTH, subsequent_indent="   ", break_on_hyphens=False)
