"""Policies at the ends of what their types allow, and a short history that judges by them and reads back.

The ends are read from the types of the policy, so a new knob is drawn from as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter
from random import Random
from typing import Any

import msgspec
from msgspec import inspect as types

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import Policy
from stream.core.step import Step, on_event, on_review
from stream.policy_file.contradictions import contradictions
from stream.policy_file.load import with_hash
from stream.wire import encode_alert
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import LiveRow, StoredRow
from tests.support.builders import (
    answered,
    at,
    bought,
    complained,
    identified,
    refunded,
    reviewed,
    viewed,
    visited,
)

KeyPath = tuple[str | int, ...]
End = tuple[KeyPath, float]
INTEGER_MAX, NUMBER_MAX, NUMBER_MIN = 2**63 - 1, 1e308, 5e-324
"""Ends of a number without bounds of its own in a TOML file."""
TABLED = ("annual_discount", "risk_horizon_ms")
"""Each of their values costs a second: the tables of lifetime value are computed."""
REVIEWS_MAX = 400
"""Of one customer in five years, also with a policy at its ends: two a week at most."""
CODEC = ProfileCodec({}, 1, live=False)


def ends_of(kind: types.StructType, path: KeyPath = ()) -> Iterator[End]:
    """Every number of a struct with its least and its largest value."""
    for field in kind.fields:
        here, inner = (*path, field.encode_name), field.type
        if isinstance(inner, types.StructType):
            yield from ends_of(inner, here)
        elif isinstance(inner, types.VarTupleType) and isinstance(inner.item_type, types.StructType):
            for place in range(4):  # the shipped ladder
                yield from ends_of(inner.item_type, (*here, place))
        elif isinstance(inner, types.IntType | types.FloatType):
            yield from ((here, end) for end in _ends(inner))


def _ends(kind: types.IntType | types.FloatType) -> tuple[float, float]:
    if isinstance(kind, types.IntType):
        return (0 if kind.ge is None else kind.ge), (INTEGER_MAX if kind.le is None else kind.le)
    low = kind.ge if kind.ge is not None else NUMBER_MIN if kind.gt == 0 else -NUMBER_MAX
    high = kind.le if kind.le is not None else NUMBER_MAX if kind.lt is None else nextafter(kind.lt, -inf)
    return low, high


ENDS = tuple(ends_of(types.type_info(Policy)))  # type: ignore[arg-type]
PROBABILITIES = (0.0, NUMBER_MIN, 1e-310, 1e-17, 0.5, 1.0 - 1e-13, nextafter(1.0, 0.0), 1.0)


def policy_with(changes: list[End]) -> Policy | None:
    """The shipped policy with these values; None when they contradict each other, as the file's check says.

    Thresholds that a single value puts out of order go along with it: clear, raise and escalate must rise.
    """
    content: Any = msgspec.to_builtins(Policy())
    content["experiment"] |= {"salt": "s", "begins": "2024-02-01"}
    for path, value in changes:
        owner = content
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = value
    changed = {path for path, _ in changes}
    for kind in ("churn_risk", "upgrade_opportunity", "at_risk_loyal"):
        _in_order(content[kind]["hysteresis"], {path[-1] for path in changed if path[0] == kind})
    policy = msgspec.convert(content, Policy)
    return None if list(contradictions(policy)) else with_hash(policy)


def _in_order(rule: dict[str, Any], changed: set[str | int]) -> None:
    """Move thresholds that were not changed out of the way of those that were."""
    if "raise_at" not in changed:
        rule["raise_at"] = min(rule["raise_at"], rule["escalate_at"])
        if "clear_at" in changed and rule["raise_at"] <= rule["clear_at"] < 1.0:
            rule["raise_at"] = rule["escalate_at"] = 1.0
    if "clear_at" not in changed and rule["clear_at"] >= rule["raise_at"]:
        rule["clear_at"] = 0.0
    if "escalate_at" not in changed:
        rule["escalate_at"] = max(rule["escalate_at"], rule["raise_at"])


def policy_at_random(random: Random) -> Policy | None:
    """A policy with a third of its numbers at an end, or with thresholds anywhere near one."""
    tabled = random.random() < 0.2
    chosen = [each for each in ENDS if random.random() < 0.3 and (tabled or each[0][-1] not in TABLED)]
    for kind in ("churn_risk", "upgrade_opportunity", "at_risk_loyal"):
        low, middle, high = sorted(random.choices(PROBABILITIES, k=3))
        chosen += [
            ((kind, "hysteresis", name), value)
            for name, value in (("clear_at", low), ("raise_at", middle), ("escalate_at", high))
        ]
    chosen.append((("stages", "lapsed_risk"), random.choice(PROBABILITIES)))
    chosen = [each for each in chosen if each[0][0] != "ladder" or each[0][1] == "slack"]
    return policy_with(chosen)


def short_history() -> list[list[Event]]:
    """Three customers: a weekly one who falls silent unhappy, one purchase, and one who comes and goes."""
    weekly: list[Event] = [bought(7 * week, 60_000, order=f"w{week}") for week in range(20)]
    weekly += [visited(20), viewed(90, "garden"), reviewed(100, 5, "Great!"), identified(0.1, "spring")]
    weekly += [answered(140, 0), complained(141, "t", "Awful!"), refunded(142, "w19", 60_000), visited(150)]
    once: list[Event] = [bought(3, 500, customer="o")]
    erratic: list[Event] = [
        bought(day, 9_000 + 900 * day, customer="r") for day in (0, 1, 40, 41, 200, 203, 210)
    ]
    return [sorted(life, key=lambda event: event.time) for life in (weekly, once, erratic)]


def judged_by(basis: Basis) -> list[Alert]:
    """The alerts of the short history and five years after it; each, and each row, reads back."""
    alerts: list[Alert] = []
    for life in short_history():
        _lived(life, basis, at(5 * 365), alerts)
    for alert in alerts:
        assert msgspec.json.decode(encode_alert(alert), type=Alert) == alert
    return alerts


def _lived(life: list[Event], basis: Basis, until_ms: int, alerts: list[Alert]) -> None:
    profile: Profile | None = None
    reviews = 0
    for event in [*life, None]:
        to_ms = event.time_ms if event is not None else until_ms
        while profile is not None and (due_ms := profile.next_review_ms) is not None and due_ms <= to_ms:
            reviews += 1
            assert reviews <= REVIEWS_MAX, f"reviews come too often: {profile.judgement}"
            profile = _kept(on_review(profile, due_ms, basis), alerts)
        if event is not None:
            profile = _kept(on_event(profile, event, basis), alerts)


def _kept(step: Step, alerts: list[Alert]) -> Profile | None:
    alerts += step.alerts
    if step.profile is not None:
        row = LiveRow(StoredRow(profile=step.profile)).encode()
        again = CODEC.decode_row(b"c", row)
        assert again.spoilt is None, again.spoilt
        assert again.profile == step.profile
    return step.profile
