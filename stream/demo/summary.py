"""The result of the demo: counts as one object, and the same in words with the customers most at risk."""

from __future__ import annotations

import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from stream.core.alerts.alert import Alert
from stream.wording.alert import ALERT_NAMES, alert_lines
from stream.wording.amounts import date

OPEN_STATES = frozenset({"raised", "escalated"})
MOST_VALUABLE_SHOWN = 3


class AlertHistory:
    """All alerts so far: counted, with the last alert of each customer and kind."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        """Kind -> state -> alerts."""
        self._last: dict[tuple[str, str], Alert] = {}
        self._seen: set[str] = set()

    @property
    def total(self) -> int:
        return sum(states.total() for states in self.counts.values())

    def add(self, alert: Alert) -> bool:
        """False for an alert that was delivered before, which its id shows."""
        if alert.id in self._seen:
            return False
        self._seen.add(alert.id)
        self.counts[alert.data.kind][alert.data.state] += 1
        self._last[alert.subject, alert.data.kind] = alert
        return True

    def most_valuable_at_risk(self) -> list[Alert]:
        """Open alerts about customers who may leave: one for each customer, the most money at stake first.

        Where they pay in several currencies that nobody compares, those of the most frequent one come first.
        """
        at_risk = [
            alert
            for alert in self._last.values()
            if alert.data.state in OPEN_STATES and alert.data.kind != "upgrade_opportunity"
        ]
        alerts = Counter(map(_currency, at_risk))
        by_stake = sorted(
            at_risk,
            key=lambda alert: (
                (-alerts[_currency(alert)], _currency(alert), -_stake_minor(alert)),
                (alert.subject, alert.data.kind),
            ),
        )
        chosen: dict[str, Alert] = {}
        for alert in by_stake:
            chosen.setdefault(alert.subject, alert)
        return list(chosen.values())[:MOST_VALUABLE_SHOWN]


def _currency(alert: Alert) -> str:
    return alert.data.value_at_risk.currency if alert.data.value_at_risk else ""


def _stake_minor(alert: Alert) -> int:
    return alert.data.value_at_risk.mean_minor if alert.data.value_at_risk else 0


def peak_rss_bytes() -> int:
    """Peak memory of this process plus that of the worker, which has ended."""
    unit = 1 if sys.platform == "darwin" else 1_024
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in whose) * unit


def demo_summary(
    *,
    outcomes: Mapping[str, int],
    sent: int,
    tiers: Iterable[str],
    alerts: AlertHistory,
    last_day: str,
    seconds: float,
) -> dict[str, Any]:
    """The object of `--json`. `applied` also counts events that concern no customer, such as costs.

    `last_day` is the last one that was played, `2017-12-31`.
    """
    customers = Counter(tiers)
    return {
        "last_day": last_day,
        "events_in": sent,
        "applied": outcomes.get("applied", 0) + outcomes.get("ignored", 0),
        "deduplicated": outcomes.get("deduplicated", 0),
        "dead_lettered": outcomes.get("dead_lettered", 0),
        "customers": customers.total(),
        "tiers": dict(customers.most_common()),
        "alerts": {kind: dict(sorted(states.items())) for kind, states in sorted(alerts.counts.items())},
        "seconds": round(seconds, 1),
        "peak_rss_bytes": peak_rss_bytes(),
    }


def is_complete(summary: Mapping[str, Any]) -> bool:
    """Whether every event that was sent is counted under one outcome."""
    counted = summary["applied"] + summary["deduplicated"] + summary["dead_lettered"]
    return bool(summary["events_in"] == counted)


def summary_lines(summary: Mapping[str, Any], alerts: AlertHistory) -> list[str]:
    """The summary in words."""
    tiers = ", ".join(f"{count:,} {tier}" for tier, count in summary["tiers"].items())
    lines = [
        "",
        f"{summary['events_in']:,} events: {summary['applied']:,} applied, "
        f"{summary['deduplicated']:,} duplicates, {summary['dead_lettered']:,} rejected.",
        f"{summary['customers']:,} customers: {tiers}.",
        "Alerts:",
    ]
    for kind, states in summary["alerts"].items():
        counts = ", ".join(f"{count:,} {state}" for state, count in states.items())
        lines.append(f"  {ALERT_NAMES[kind]}: {counts}")
    at_risk = alerts.most_valuable_at_risk()
    if at_risk:
        who = f"The {len(at_risk)} customers" if len(at_risk) > 1 else "The customer"
        when = date(summary["last_day"])
        lines += ["", f"{who} at risk with the most money at stake at the end of {when}:"]
        for alert in at_risk:
            headline, *details = alert_lines(alert)
            lines += ["", headline, *(f"  {line}" for line in details)]
    lines += [
        "",
        f"Took {summary['seconds']:.0f} s and {summary['peak_rss_bytes'] / 2**20:,.0f} MiB of memory.",
        "",
        *_next_lines(at_risk[0].subject if at_risk else "household-1"),
    ]
    return lines


def _next_lines(customer: str) -> list[str]:
    """What to try after the demo: a customer of it, and data of one's own."""
    return [
        "Next:",
        "  the same year as a file:  stream import completejourney --out year.jsonl.gz",
        f"  all about a customer:     stream explain {customer} --events year.jsonl.gz",
        "  your own export:          stream try orders.csv",
    ]
