"""Two policies over the same events: which settings differ, and whom only one would alert about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import ALERT_KINDS, AlertKind, Policy
from stream.policy_file import duration_text
from stream.replay.run import Replay

NOT_COMPARED = ("hash", "id", "version")
"""Fields of a policy that name it and decide nothing."""
DAY_S = 86_400


class ChangedKnob(Struct, frozen=True):
    """One setting in which policies A and B differ; None where a policy does not have it."""

    key: str
    a: Any
    b: Any


class AlertDifference(Struct):
    """One kind of alert: for each customer alerted by only one policy, the first alert."""

    kind: AlertKind
    only_a: list[Alert]
    only_b: list[Alert]
    both: int
    """Customers alerted by both policies."""
    b_later_days: float | None
    """Median delay of B's first alert after A's, for customers alerted by both; negative: earlier."""


def alerts_of_both(events: Iterable[Event], bases: tuple[Basis, Basis], until_ms: int) -> list[list[Alert]]:
    """The raised alerts of each of two runs; the events are read once, in time order."""
    raised: list[list[Alert]] = []
    runs = []
    for basis in bases:
        alerts: list[Alert] = []
        raised.append(alerts)
        runs.append(Replay(basis, alerts.append))
    for event in events:
        for run in runs:
            run.feed(event)
    for run in runs:
        run.advance(until_ms)
    return [[alert for alert in alerts if alert.data.state == "raised"] for alerts in raised]


def alert_differences(a: Iterable[Alert], b: Iterable[Alert]) -> list[AlertDifference]:
    """For each kind of alert, the customers alerted by one policy only."""
    found = []
    for kind in ALERT_KINDS:
        in_a, in_b = _first(a, kind), _first(b, kind)
        both = sorted(in_a.keys() & in_b.keys())
        later = [_seconds(in_b[customer]) - _seconds(in_a[customer]) for customer in both]
        found.append(
            AlertDifference(
                kind,
                [in_a[customer] for customer in sorted(in_a.keys() - in_b.keys())],
                [in_b[customer] for customer in sorted(in_b.keys() - in_a.keys())],
                len(both),
                round(median(later) / DAY_S, 1) if later else None,
            )
        )
    return found


def knobs_changed(a: Policy, b: Policy) -> list[ChangedKnob]:
    """Every setting in which two policies differ, with key and value as a policy file writes them."""
    one, other = (dict(_written(_settings(policy))) for policy in (a, b))
    keys = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    return [ChangedKnob(key, one.get(key), other.get(key)) for key in keys if key not in NOT_COMPARED]


def _settings(policy: Policy) -> dict[str, Any]:
    """The content of a policy without what is computed from it."""
    content: dict[str, Any] = msgspec.to_builtins(policy)
    del content["calendar"]
    return content


def _first(alerts: Iterable[Alert], kind: AlertKind) -> dict[str, Alert]:
    found: dict[str, Alert] = {}
    for alert in alerts:
        if alert.data.kind == kind:
            found.setdefault(alert.subject, alert)
    return found


def _seconds(alert: Alert) -> float:
    return datetime.fromisoformat(alert.time).timestamp()


def _written(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every leaf of a policy; a list of plain values is one leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _written(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from _written(inner, f"{path}[{index}]")
    elif path.endswith("_ms"):
        yield path.removesuffix("_ms"), duration_text(value)
    else:
        yield path, value
