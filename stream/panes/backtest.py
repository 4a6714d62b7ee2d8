"""What the last backtest said of the alerts: precision, recall and lead time, with the days it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.look.html import SHARES_FROM, Meter, html_table, html_text, part_of, percent, share_of
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.wording.amounts import with_dates

NAMES = {
    "at_risk_loyal": "Loyal customer at risk",
    "churn_risk": "Likely to leave",
    "upgrade_opportunity": "Ready for the next tier",
}


def backtest_pane(numbers: Mapping[str, Any], policy: str) -> str:
    """The pane, without its heading; `policy` is the hash of the one that the page is by."""
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    rows = [
        (
            NAMES.get(kind, kind), f"{one['n']:,}", f"{one['decided']:,}", _right(one),
            Meter(one["precision"] or 0.0, *(one["precision_90"] or (None, None))), _found(one),
            "–" if one["median_lead_days"] is None else f"{one['median_lead_days']:.0f}",
        )
        for kind, one in numbers["alerts"].items()
    ]  # fmt: skip
    head = ("alert", "raised", "judged", "right (90% interval)", "", "found", "days early")
    other = (
        ""
        if numbers["policy"] == policy
        else "<p class=note>It was of another policy than the one of this page.</p>"
    )
    return (
        f"<p>Learnt from everything up to {html_text(with_dates(str(numbers['split'])))}, then compared with what customers did until "
        f"{html_text(with_dates(str(numbers['data_end'])))}.</p>{other}{_no_price(numbers)}"
        + html_table(head, rows)
        + f"<p><small>Judged: alerts whose {weeks} were over. Right: no purchase in them (ready for the next tier: it was reached). "
        "Found: of the lost customers whom the rule covers, the share that was alerted. Days early: before the rule “no purchase "
        f"for {weeks}” would have noticed, at the median.</small></p>{_moved_up_or_spent_more(numbers, weeks)}"
    )


def _moved_up_or_spent_more(numbers: Mapping[str, Any], weeks: str) -> str:
    """What came of the upgrade opportunities, beside like customers; empty where none was judged, and for a
    backtest of a version that did not look at it."""
    one = numbers["alerts"].get("upgrade_opportunity", {})
    if one.get("moved_up_or_spent_more") is None:
        return ""
    words = (
        f"{NAMES['upgrade_opportunity']}: {one['moved_up_or_spent_more']:.0%} reached it or spent more in the "
        f"{weeks} after the alert than in those before it"
    )
    if one["like_customers"]:
        low, high = (100.0 * bound for bound in one["more_than_like_customers_95"])
        words += (
            f"; of {one['like_customers']:,} like customers without an alert "
            f"{one['like_customers_moved_up_or_spent_more']:.0%} (difference {low:+.0f} to {high:+.0f} points, "
            "95% interval)"
        )
    return f"<p>{html_text(words)}.</p>"


def _no_price(numbers: Mapping[str, Any]) -> str:
    """That no alert was raised is no chance where none can be: nothing has a price."""
    if NO_ALERT_EVER not in numbers["model"]["notes"] or any(one["n"] for one in numbers["alerts"].values()):
        return ""
    return f"<p class=note>{html_text(NO_ALERT_EVER[0].upper() + NO_ALERT_EVER[1:])}.</p>"


def _right(one: Mapping[str, Any]) -> str:
    if one["precision"] is None or one["precision_90"] is None:
        return "none judged"
    low, high = one["precision_90"]
    return f"{share_of(round(one['precision'] * one['decided']), one['decided'])} ({low:.0%} to {high:.0%})"


def _found(one: Mapping[str, Any]) -> str:
    """The share of the lost that were found; of few their number."""
    found, lost = one.get("found_of", (0, SHARES_FROM))
    return percent(one["recall"]) if lost >= SHARES_FROM or one["recall"] is None else part_of(found, lost)
