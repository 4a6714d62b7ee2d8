"""What came of the year: counts as one object, and the same in words."""

from __future__ import annotations

import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from stream.core.alerts.alert import Alert
from stream.wording.alert import KINDS, alert_lines

OPEN = frozenset({"raised", "escalated"})
BEST_SHOWN = 3


class Alerts:
    """All alerts so far: counted, and the last word on every episode."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._last: dict[tuple[str, str], Alert] = {}
        self._seen: set[str] = set()

    def add(self, alert: Alert) -> bool:
        """False for one that came before: ids make a second delivery harmless."""
        if alert.id in self._seen:
            return False
        self._seen.add(alert.id)
        self.counts[alert.data.kind][alert.data.state] += 1
        self._last[alert.subject, alert.data.kind] = alert
        return True

    def best_at_risk(self) -> list[Alert]:
        """Customers with an open alert of leaving, the most valuable first; one alert each."""
        at_risk = [
            a for a in self._last.values() if a.data.state in OPEN and a.data.kind != "upgrade_opportunity"
        ]
        by_worth = sorted(at_risk, key=lambda a: (-_worth(a), a.subject, a.data.kind))
        chosen: dict[str, Alert] = {}
        for alert in by_worth:
            chosen.setdefault(alert.subject, alert)
        return list(chosen.values())[:BEST_SHOWN]


def _worth(alert: Alert) -> int:
    return alert.data.value_at_risk.p50_minor if alert.data.value_at_risk else 0


def peak_rss_bytes() -> int:
    """Of this process and of the worker, which has ended; each at its own peak."""
    unit = 1 if sys.platform == "darwin" else 1_024
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in whose) * unit


def summary(
    *, outcomes: Mapping[str, int], sent: int, tiers: Iterable[str], alerts: Alerts, seconds: float
) -> dict[str, Any]:
    """The object of `--json`. `applied` counts what was understood, also where it is nobody's (costs)."""
    named = Counter(tiers)
    return {
        "events_in": sent,
        "applied": outcomes.get("applied", 0) + outcomes.get("ignored", 0),
        "deduplicated": outcomes.get("deduplicated", 0),
        "dead_lettered": outcomes.get("dead_lettered", 0),
        "customers": named.total(),
        "tiers": dict(named.most_common()),
        "alerts": {kind: dict(sorted(states.items())) for kind, states in sorted(alerts.counts.items())},
        "seconds": round(seconds, 1),
        "peak_rss_bytes": peak_rss_bytes(),
    }


def accounted(told: Mapping[str, Any]) -> bool:
    return bool(told["events_in"] == told["applied"] + told["deduplicated"] + told["dead_lettered"])


def lines(told: Mapping[str, Any], alerts: Alerts) -> list[str]:
    """The summary in words."""
    said = [
        "",
        f"{told['events_in']:,} events in: {told['applied']:,} applied, {told['deduplicated']:,} came twice, "
        f"{told['dead_lettered']:,} could not be understood.",
        f"{told['customers']:,} customers: "
        + ", ".join(f"{count:,} {tier}" for tier, count in told["tiers"].items())
        + ".",
        "Alerts:",
    ]
    for kind, states in told["alerts"].items():
        in_words = ", ".join(f"{count:,} {state}" for state, count in states.items())
        said.append(f"  {KINDS[kind]}: {in_words}")
    best = alerts.best_at_risk()
    if best:
        said += ["", f"The {len(best)} most valuable customers at risk at the end of the year:"]
        for alert in best:
            first, *rest = alert_lines(alert)
            said += ["", first, *(f"  {text}" for text in rest)]
    said += ["", f"{told['seconds']:.0f} s, {told['peak_rss_bytes'] / 2**20:,.0f} MiB at the peak."]
    return said
