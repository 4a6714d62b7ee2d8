"""The pane `kept`: who is at risk, who came back, how many stay from one period to the next."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from typing import Any

from stream.core.calendar import Calendar
from stream.look.heat import HeatCell, html_heat
from stream.look.html import SHARES_FROM, Link, Meter, html_table, html_text, percent, share_of
from stream.panes.currencies import amount
from stream.panes.places import Places, iso_day, nowhere
from stream.panes.tiers import OF_TIERS
from stream.time_zones import calendar_in
from stream.wording.amounts import date, month_of_year, share

OPEN_FROM = 4.0
"""An interval whose upper end is more than this many times its lower one is shown as `more than`."""
COHORTS_SHOWN_MAX = 24
"""Months of a first purchase that are shown, the latest."""


def kept(numbers: Mapping[str, Any], places: Places = nowhere) -> str:
    """The pane, without its heading; `numbers` are those of the business report, `priced`."""
    found, currency = numbers["retention"], numbers["currency"]
    calendar = calendar_in(numbers["zone"])
    return "".join(
        (
            _at_risk(found, currency, places),
            _win_backs(found, currency),
            _periods(found, calendar, places),
            _by_value(found),
            _lifetime(found),
            cohort_map(numbers.get("cohorts", []), places),
        )
    )


def _at_risk(numbers: Mapping[str, Any], currency: str, places: Places) -> str:
    rows = [
        (
            Link(name, places({"tier": name})), f"{one['customers']:,}", f"{one['at_risk']:,}",
            Meter(one["at_risk"] / one["customers"], is_bad=True), share_of(one["at_risk"], one["customers"]),
            f"{one['lost']:,}", amount(one["value_at_risk_minor"], currency),
        )
        for name, one in reversed(numbers["by_tier"].items())
        if one["customers"]
    ]  # fmt: skip
    if not rows:
        return "<p>No customer has a tier.</p>"
    head = ("tier", "customers", "at risk", "", "of all", "probably lost", "recent spending at risk")
    return (
        f"<p>At risk: the probability is {share(numbers['raise_at'])} or more that they buy nothing in the time in which they "
        "usually buy twice (at least a week, at most a year). Not all of them have an open alert: that takes the silence and "
        "the history that the policy asks for as well.</p>" + html_table(head, rows) + OF_TIERS
    )


def _win_backs(numbers: Mapping[str, Any], currency: str) -> str:
    rows = [
        (
            one["tier"], f"{one['at_risk']:,}", f"{one['came_back']:,}", f"{one['expected_back']:.0f}",
            amount(one["value_back_minor"], currency),
        )
        for one in reversed(numbers["saved"])
        if one["at_risk"]
    ]  # fmt: skip
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in numbers["outcomes"].items())
    head = ("tier 90 days ago", "at risk then", "bought since", "expected to buy anyway", "spent since")
    shown = (
        "<h3>At risk 90 days ago, and now</h3>"
        + html_table(head, rows)
        + "<p><small>Customers at risk 90 days ago who have bought again since. Some would have come back without any action: "
        "about as many as expected from their risk, once their own horizon has passed.</small></p>"
        if rows
        else "<p>Nobody was at risk 90 days ago: there is nobody to have been won back.</p>"
    )
    return shown + (f"<p>Reported outcomes of actions: {html_text(outcomes)}.</p>" if outcomes else "")


def _periods(numbers: Mapping[str, Any], calendar: Calendar, places: Places) -> str:
    """Retention from one period to the next, for all and by the period of the first purchase."""
    unit, starts = numbers["period"], [date(at_ms, calendar) for at_ms in numbers["starts_ms"]]
    rates = {(one["cohort"], one["period"]): one for one in numbers["rates"] if one["active"]}
    if not rates:
        return f"<p>Retention from {unit} to {unit} is not known yet: too few {unit}s are over.</p>"
    columns = sorted({period for _, period in rates})

    def cell(cohort: int, period: int) -> HeatCell:
        one = rates.get((cohort, period))
        if one is None:
            return HeatCell("")
        counts = f"{one['again']:,} of {one['active']:,}"
        if one["active"] < SHARES_FROM:
            return HeatCell(counts, one["rate"])
        return HeatCell(percent(one["rate"]), one["rate"], more=counts)

    def first(cohort: int) -> Link:
        first_ms, after_ms = numbers["starts_ms"][cohort : cohort + 2]
        days = f"{iso_day(first_ms, calendar)}..{iso_day(after_ms - 1, calendar)}"
        who = {"first": days, "sort": "last"}
        return Link(f"first bought from {starts[cohort]}", places(who))

    rows = [
        ("everybody" if cohort < 0 else first(cohort), [cell(cohort, p) for p in columns])
        for cohort in sorted({cohort for cohort, _ in rates})
    ]  # fmt: skip
    head = (f"bought in the {unit}", *(f"from {starts[period]}" for period in columns))
    return (
        f"<h3>Who bought in one {unit} and again in the next</h3>"
        + html_heat(head, rows, f"Retention from one {unit} to the next")
        + f"<p><small>Only {unit}s that are over are shown. A click on a row shows who first bought then.</small></p>"
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
        f"<p>How long a customer stays: {_with_interval(fitted, numbers.get('sbg_lifetime_90'), unit)} on average, {unit}s far "
        "ahead counting less. The least loyal leave first, so those who remain stay longer; this is taken into account (by the "
        "shifted beta-geometric model). The simple formula, 1 / (1 - retention), takes the rate of the first "
        f"{unit} for that of everybody and for ever, and says {simple:.1f} {unit}s.</p>"
    )


def _with_interval(periods: float, interval: Sequence[float] | None, unit: str) -> str:
    """A lifetime and how certain it is; where the few periods leave it open upwards, only what it is at least."""
    if interval is None:
        return f"<b>{periods:.1f} {unit}s</b>"
    low, high = interval
    if high > OPEN_FROM * low:
        return (
            f"<b>more than {low:.1f} {unit}s</b> (90% interval; the likeliest is {periods:.1f}, but so few {unit}s "
            "do not tell how many stay for long)"
        )
    return f"<b>{periods:.1f} {unit}s</b> (90% interval {low:.1f} to {high:.1f})"


def _by_value(numbers: Mapping[str, Any]) -> str:
    unit = numbers["period"]
    rows = [
        (
            one["segment"],
            f"{one['active']:,}",
            f"{one['again']:,}",
            share_of(one["again"], one["active"]),
            Meter(one["rate"]),
        )
        for one in reversed(numbers["by_value"])
        if one["active"]
    ]
    if not rows:
        return ""
    head = (
        f"customers by spending in a {unit}", f"bought in a {unit}", f"bought in the next {unit} too", "retention",
        "",
    )  # fmt: skip
    return html_table(head, rows)


def cohort_map(cohorts: Sequence[Mapping[str, Any]], places: Places = nowhere) -> str:
    """Customers by the month of their first purchase: which share of them bought in each month after it.

    The running month is hatched and in no average; neither is the row of a month in which the history begins,
    whose customers may have bought before.
    """
    shown = [one for one in cohorts if one["customers"]][-COHORTS_SHOWN_MAX:]
    if not any(len(one["bought"]) > 1 for one in shown):
        return (
            "<p>Retention by month of the first purchase is not known yet: that takes more than a month.</p>"
        )
    width = max(len(one["bought"]) for one in shown)
    rows: list[tuple[str | Link, list[HeatCell]]] = [
        _cohort_row(one, width, places) for one in reversed(shown)
    ]
    average = "everybody"
    rows.append((average, [_mean_cell(shown, place) for place in range(1, width)]))
    head = ("first bought in (customers)", *(f"+{place}" for place in range(1, width)))
    return (
        "<h3>Who first bought in one month, and bought in the months after it</h3>"
        + html_heat(head, rows, "Share of customers who bought, by month since the first purchase", average)
        + "<p><small>Columns are months after that of the first purchase. The hatched month is not over, and is in no "
        f"average. A click on a number shows who they are.{_begins_words(shown)}</small></p>"
    )


def _cohort_name(one: Mapping[str, Any]) -> str:
    begins = f", from day {one['from_day']}" if _is_partial(one) else ""
    return f"{month_of_year(one['month'])}{begins} ({one['customers']:,})"


def _begins_words(shown: Sequence[Mapping[str, Any]]) -> str:
    begun = next((one for one in shown if _is_partial(one)), None)
    return (
        f" The history begins on day {begun['from_day']} of {month_of_year(begun['month'])}: that month is no whole one, its customers may "
        "have bought before, and its row is in no average either."
        if begun is not None
        else ""
    )


def _is_partial(one: Mapping[str, Any]) -> bool:
    return bool(one.get("from_day", 1) > 1)


def _cohort_row(one: Mapping[str, Any], width: int, places: Places) -> tuple[Link, list[HeatCell]]:
    """The row of those who first bought in a month; each cell leads to those who bought in its month as well."""
    year, month = map(int, one["month"].split("-"))
    last = monthrange(year, month)[1]
    who = {"first": f"{one['month']}-01..{one['month']}-{last:02d}", "sort": "last"}
    later = [divmod(12 * year + month - 1 + place, 12) for place in range(width)]
    addresses = [places({**who, "bought": f"{each:04d}-{place + 1:02d}"}) for each, place in later]
    return Link(_cohort_name(one), places(who)), _cohort_cells(one, width, addresses)


def _cohort_cells(one: Mapping[str, Any], width: int, addresses: Sequence[str]) -> list[HeatCell]:
    cells = []
    for place in range(1, width):
        if place >= len(one["bought"]):
            cells.append(HeatCell(""))
            continue
        share = one["bought"][place] / one["customers"]
        is_running = place == len(one["bought"]) - 1 and not one.get("is_over")
        cells.append(
            HeatCell(
                share_of(one["bought"][place], one["customers"]),
                share,
                addresses[place],
                is_running=is_running,
            )
        )
    return cells


def _mean_cell(shown: Sequence[Mapping[str, Any]], place: int) -> HeatCell:
    over = [
        one
        for one in shown
        if place < len(one["bought"]) - (0 if one.get("is_over") else 1) and not _is_partial(one)
    ]
    customers = sum(one["customers"] for one in over)
    if not customers:
        return HeatCell("")
    bought = sum(one["bought"][place] for one in over)
    return HeatCell(share_of(bought, customers), bought / customers)
