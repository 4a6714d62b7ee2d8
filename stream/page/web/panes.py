"""The pages of what needs history: won, grown, kept, and the policy; with the day that numbers are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from stream.core.units import DAY_MS
from stream.look.html import Cell, Link, Meter, html_table, html_text, share_of, with_whole_days
from stream.look.months import months
from stream.page.published import BY_THE_SAME, PublishedError, other_basis
from stream.page.screens import customers, today
from stream.page.screens.counts import open_counted
from stream.page.screens.leaving import by_tier
from stream.page.screens.policy import alert_weeks, judged_alerts
from stream.page.screens.view import KIND_TABS, View, known_filters, url
from stream.page.store.store import Reading
from stream.page.web.pages import HTML, Made, Pages
from stream.panes.backtest import backtest_pane
from stream.panes.currencies import currencies_part, money_words, priced
from stream.panes.grown import grown
from stream.panes.kept import kept
from stream.panes.left import left_by_tier
from stream.panes.places import Places
from stream.panes.report import report_notes
from stream.panes.uplift import uplift_pane
from stream.panes.why import dead_ends, drivers
from stream.panes.won import won
from stream.time_zones import calendar_in
from stream.wording.amounts import count, date, days, lasted_days, listed, with_dates
from stream.wording.policy import rule_sections

WON, GROWN, KEPT, POLICY = "/won", "/grown", "/kept", "/policy"
STALE_MS = 8 * DAY_MS
"""A report that is older than this beside the rest of the page is said to be."""
LEFT = "Why customers have left, by value tier"
"""The heading of the section that stands before what is known without a report."""
PUBLISH = "stream report EVENTS --publish FOLDER"

Parts = Callable[[Mapping[str, Any], Places], Sequence[tuple[str, str]]]
"""From the numbers of a report to headings and HTML."""


def _places(filters: Mapping[str, str]) -> str:
    return url(customers.PATH, filters)


def _won(numbers: Mapping[str, Any], places: Places) -> Sequence[tuple[str, str]]:
    return [("New customers, and what they are worth against what they cost", won(numbers, places))]


def _grown(numbers: Mapping[str, Any], places: Places) -> Sequence[tuple[str, str]]:
    return [("Development in 90 days", grown(numbers, places))]


def _kept(numbers: Mapping[str, Any], places: Places) -> Sequence[tuple[str, str]]:
    tiers = [*numbers["retention"]["by_tier"]]
    recorded = numbers["engagement_recorded"]
    left = left_by_tier(numbers)
    return [
        *([(LEFT, left)] if left else []),
        ("Why customers leave or stay, and what to do", drivers(numbers["drivers"], tiers)),
        ("At risk, back, and staying", kept(numbers, places)),
        (
            "Dead ends: the last event before they left",
            dead_ends(numbers["dead_ends"], tiers, recorded=recorded),
        ),
    ]


def won_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """New customers and campaigns."""
    return _pane(pages, query, (WON, "Won"), _won, [])


def grown_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """Tiers, baskets, what to offer next."""
    ready = _open_now(reading, "upgrade_opportunity", pages.view)
    line = (
        f"{count(ready, 'customer is', 'customers are')} ready for the next tier now.",
        "upgrade_opportunity",
    )
    return _pane(pages, query, (GROWN, "Grown"), _grown, [line])


def kept_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """Who stays, who leaves, and why."""
    lines = [
        (f"{count(_open_now(reading, kind, pages.view), 'customer', 'customers')} {words} now.", kind)
        for kind, words in (("at_risk_loyal", "loyal and at risk"), ("churn_risk", "likely to leave"))
    ]
    leaving = pages.kept.get(("leaving",), lambda: by_tier.leaving_by_tier(reading, pages.view))
    first = (
        "Why customers may leave now, by value tier",
        Markup(_leaving(leaving, pages.view.basis.tier_names)),
    )
    return _pane(pages, query, (KEPT, "Kept"), _kept, lines, first)


def _leaving(found: Sequence[by_tier.TierLeaving], names: Sequence[str]) -> str:
    """A table: each tier with the first reasons of its alerts and what to do."""
    if not found:
        return "<p>Of nobody an alert is open that they may leave.</p>"
    rows: list[tuple[Cell, ...]] = []
    for each in found:
        for place, one in enumerate(each.reasons):
            lists = [Link(f"{of.customers:,}", of.url if of.customers else "") for of in each.lists]
            tier: tuple[Cell, ...] = (each.tier, f"{each.customers:,}", *lists) if not place else ("",) * 4
            part = share_of(one.customers, each.looked_at)
            meter = Meter(one.customers / each.looked_at, is_bad=True)
            to_do = one.to_do or "nothing is in the playbook"
            rows.append((*tier, one.reason, part, meter, to_do))
    kinds = [KIND_TABS[kind].lower() for kind in by_tier.KINDS]
    head = ("value tier", "may leave", *kinds, "first of all because", "of these", "", "what to do")
    is_part = any(each.looked_at < each.customers for each in found)
    of_part = f" Looked at are the {by_tier.LOOKED_AT_MAX} worst of each tier." if is_part else ""
    others = [name for name in reversed(names) if name not in {each.tier for each in found}]
    nobody = f"Of {html_text(listed(others))} customers nobody has such an alert. " if others else ""
    return html_table(head, rows) + (
        f"<p><small>{nobody}The strongest reason of each open alert, as of now: likely to leave, or loyal "
        f"and at risk.{of_part} Who has both alerts is one customer, and in both lists: a click on a number "
        "shows who they are, with all reasons.</small></p>"
    )


def _open_now(reading: Reading, kind: str, view: View) -> int:
    """Open alerts of a kind, as many as its tab on the first page counts."""
    found = open_counted(reading, (), "kind = ?", [kind], muted_after_ms=view.as_of_ms)
    return int(found[0][0]) if found else 0


def _pane(
    pages: Pages,
    query: Mapping[str, str],
    here: tuple[str, str],
    parts: Parts,
    now: Sequence[tuple[str, str]],
    *first: tuple[str, Markup],
) -> Made:
    """`now`, `first`: lines and sections that are known without a report."""
    known_filters(query, ())
    path, title = here
    shown: list[tuple[str, Markup]] = []
    of_day, notes, problem, money, other = "", [], "", Markup(""), ""
    try:
        numbers = pages.published.report()
        if numbers is not None:
            numbers = priced(numbers)
            shown = [(name, Markup(with_whole_days(html))) for name, html in parts(numbers, _places)]
            money = Markup("".join([f"<p>{money_words(numbers)}</p>", *currencies_part(numbers)]))
            of_day = date(numbers["as_of_ms"], calendar_in(numbers["zone"]))
            notes = _report_notes(numbers, pages.view)
            other = other_basis(numbers, pages.view.basis)
    except PublishedError as wrong:
        problem = str(wrong)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        problem = f"The report was published by another version of this program ({wrong!r}): publish it again"
    links = [(words, url(today.PATH, {"kind": kind})) for words, kind in now]
    lead = [each for each in shown if each[0] == LEFT]
    text = pages.render(
        "pane.html", path, title=title, parts=shown[len(lead):], of_day=of_day, notes=notes, problem=problem,
        now=links, lead=lead, first=first, other=other,
        remedy=BY_THE_SAME, publish=PUBLISH, waiting=pages.published.waiting, money=money,
    )  # fmt: skip
    return text, 200, HTML


def _report_notes(numbers: Mapping[str, Any], view: View) -> list[Markup]:
    notes = []
    behind_ms = view.as_of_ms - numbers["as_of_ms"]
    if behind_ms > STALE_MS:
        behind_days = lasted_days(numbers["as_of_ms"], view.as_of_ms, view.calendar)
        notes.append(
            f"<p class=note>This report is {days(behind_days)} older than the rest of the page: "
            "publish a new one.</p>"
        )
    return [Markup(with_whole_days(each)) for each in [*notes, *report_notes(numbers)]]


def policy_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """The rules in words, what the last backtest said of them, and how often they spoke."""
    known_filters(query, ())
    view = pages.view
    tested, tested_day, problem = Markup(""), "", ""
    try:
        numbers = pages.published.backtest()
        if numbers is not None:
            tested = Markup(with_whole_days(backtest_pane(numbers, view.basis.policy.hash)))
            tested_day = with_dates(str(numbers["split"]))
    except PublishedError as wrong:
        problem = str(wrong)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        problem = (
            f"The backtest was published by another version of this program ({wrong!r}): publish it again"
        )
    helped, unread = _uplift(pages)
    weeks = alert_weeks.alert_weeks(reading, view) if view.has_alerts else []
    key = ("judged", view.basis.model.version)
    judged = pages.kept.get(key, lambda: judged_alerts.judged_alerts(reading, view))
    text = pages.render(
        "policy.html",
        POLICY,
        sections=rule_sections(view.basis),
        tested=tested,
        tested_day=tested_day,
        problem=problem,
        helped=helped,
        unread=unread,
        waiting=pages.published.waiting,
        weeks=[(each, Markup(months(each.series))) for each in weeks],
        held=alert_weeks.held_back(reading, view),
        judged=Markup(_judged(judged)),
        unknown=judged.unknown,
        unreadable=judged.unread,
    )
    return text, 200, HTML


def _judged(found: judged_alerts.JudgedAlerts) -> str:
    """What was promised and what came of it, in all, by week and by promise; empty where none was judged."""
    if not found.whole.judged:
        return ""
    head = ("", "judged", "promised", "right (90% interval)", "")
    tables = [
        html_table((name, *head[1:]), [_promised(each) for each in rows if each.judged])
        for name, rows in (("horizon over in the week from", found.weeks), ("promised", found.bands))
    ]
    whole = msgspec.structs.replace(found.whole, name="13 weeks")
    return html_table(head, [_promised(whole)]) + "".join(tables)


def _promised(one: judged_alerts.Promised) -> tuple[Cell, ...]:
    low, high = one.interval
    got = f"{share_of(round(one.got * one.judged), one.judged)} ({low:.0%} to {high:.0%})"
    return one.name, f"{one.judged:,}", f"{one.promised:.0%}", got, Meter(one.got, low, high)


def _uplift(pages: Pages) -> tuple[Markup, str]:
    """What the last readout of an experiment said, and what is wrong with it."""
    try:
        numbers = pages.published.uplift()
        return Markup(with_whole_days(uplift_pane(numbers))) if numbers is not None else Markup(""), ""
    except PublishedError as wrong:
        return Markup(""), str(wrong)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        problem = (
            f"The readout was published by another version of this program ({wrong!r}): publish it again"
        )
        return Markup(""), problem


PANES = {WON: won_page, GROWN: grown_page, KEPT: kept_page, POLICY: policy_page}
