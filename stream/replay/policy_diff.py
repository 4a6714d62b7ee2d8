"""Two policies over the same events: which settings differ, and whom only one would alert about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import ALERT_KINDS, AlertKind, Policy
from stream.policy_file import duration_text
from stream.recording.jobs import Jobs
from stream.recording.part import Part
from stream.replay.in_parts import Rules
from stream.replay.run import Replay
from stream.wire import encode_alert

NOT_COMPARED = ("hash", "id", "version")
"""Fields of a policy that name it and decide nothing."""
DAY_S = 86_400

_decode_alert = msgspec.json.Decoder(Alert).decode


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


class RaisedAlerts(NamedTuple):
    """What two runs over the same events raised."""

    a: list[Alert]
    b: list[Alert]
    """Those of one customer in order of time."""
    is_priced: bool
    """Whether any purchase has a price, or nobody bought: else no alert can ever be raised."""


def raised_by_both(jobs: Jobs, rules: tuple[Rules, Rules]) -> RaisedAlerts:
    """The raised alerts of each of two runs over the same events."""
    clocks_ms = jobs.run("replaying", fed_to_both, rules)
    parts = jobs.run("time goes on", finished_both, max(clocks_ms))
    a, b, buyers, payers = zip(*parts, strict=True)
    return RaisedAlerts(_decode_all(a), _decode_all(b), bool(sum(payers)) or not sum(buyers))


def fed_to_both(part: Part, rules: tuple[Rules, Rules]) -> int:
    """Feed the part's events, read once, to two runs; returns the clock, in ms since 1970."""
    runs = []
    for one in rules:
        alerts: list[Alert] = []
        runs.append((Replay(Basis(one.policy, one.model), alerts.append), alerts))
    for event in part.events():
        for run, _ in runs:
            run.feed(event)
    part.kept = runs
    return runs[0][0].clock_ms


def finished_both(part: Part, until_ms: int) -> tuple[list[bytes], list[bytes], int, int]:
    """Let both clocks go on; returns the raised alerts of each run as JSON, and how many customers bought
    anything, and paid for it."""
    raised = []
    for run, alerts in part.kept:
        run.advance(until_ms)
        raised.append([encode_alert(alert) for alert in alerts if alert.data.state == "raised"])
    sums = [profile.buying.sums for profile in part.kept[0][0].profiles.values()]
    return raised[0], raised[1], sum(one.orders > 0 for one in sums), sum(one.gross_minor > 0 for one in sums)


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


def _decode_all(parts: Iterable[list[bytes]]) -> list[Alert]:
    return [_decode_alert(alert) for alerts in parts for alert in alerts]
