"""Were the alerts right? Each one against what its customer did in the horizon after it.

An alert is only judged when its whole horizon was seen; the others are counted as undecided, or precision
would favour one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median

import numpy as np
from scipy.stats import beta

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Book
from stream.core.judgement.rules import at_risk_loyal, churn_risk
from stream.core.judgement.standing import standing
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags
from stream.fit.history import History, Snapshot
from stream.replay.run import Replay

CHURN_KINDS = ("at_risk_loyal", "churn_risk")
KINDS = (*CHURN_KINDS, "upgrade_opportunity")


@dataclass(frozen=True)
class Raised:
    """One alert that went out."""

    kind: str
    customer: str
    at_ms: int


@dataclass(frozen=True)
class Run:
    """A policy's run over the time after the split: what it raised, and whom it could have alerted."""

    book: Book
    raised: tuple[Raised, ...]
    eligible: Mapping[str, frozenset[str]]
    """Per kind, who could be alerted as of the split."""
    moved_up_ms: Mapping[str, tuple[int, ...]]
    """Per customer, when a higher tier was reached."""


class PolicyRun:
    """The worker's step over what came after the split, from profiles as they were at its end."""

    def __init__(self, profiles: Mapping[str, Profile], book: Book, start_ms: int) -> None:
        self._alerts: list[Alert] = []
        self._replay = Replay(book, self._alerts.append)
        self._start_ms = start_ms
        shard = self._replay.shards[0]
        shard.profiles = dict(profiles)
        shard.take(book, start_ms)
        self.eligible = {kind: frozenset(who) for kind, who in self._eligible(profiles, book).items()}
        self.feed = self._replay.feed

    def finished(self, end_ms: int) -> Run:
        """The run, once the clock has come to the end."""
        self._replay.advance(end_ms)
        raised = [
            Raised(alert.data.kind, alert.subject, instant_ms(alert.time))
            for alert in self._alerts
            if alert.data.state == "raised"
        ]
        moved = {
            customer: _ups(profile.judgement.tier_moves, self._start_ms)
            for customer, profile in self._replay.profiles.items()
        }
        return Run(self._replay.book, tuple(raised), self.eligible, moved)

    def _eligible(self, profiles: Mapping[str, Profile], book: Book) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {kind: set() for kind in CHURN_KINDS}
        for customer, profile in profiles.items():
            now = standing(profile, self._start_ms, book)
            if churn_risk(now, book).eligible:
                found["churn_risk"].add(customer)
            if at_risk_loyal(now, book).eligible:
                found["at_risk_loyal"].add(customer)
        return found


def instant_ms(text: str) -> int:
    """Milliseconds of an RFC 3339 instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


@dataclass(frozen=True)
class Truth:
    """What customers did after the split."""

    history: History
    snapshot: Snapshot
    horizon_ms: int

    @property
    def start_ms(self) -> int:
        """The end of the split's day."""
        return self.snapshot.as_of_ms + DAY_MS - 1

    @cached_property
    def churned(self) -> Flags:
        """Who bought nothing within the horizon after the split."""
        return self.history.silent(self.snapshot, self.horizon_ms)

    def decided(self, alerts: Iterable[Raised]) -> list[Raised]:
        """Alerts whose whole horizon was seen."""
        end_ms = max(self.history.last_ms, self.start_ms + self.horizon_ms)
        return [one for one in alerts if one.at_ms + self.horizon_ms <= end_ms]


def judged(run: Run, truth: Truth) -> dict[str, dict[str, object]]:
    """Per kind: how many, how many right, whom they missed, how early they came, what they caught."""
    end_ms = truth.start_ms + truth.horizon_ms
    found: dict[str, dict[str, object]] = {}
    for kind in KINDS:
        alerts = [one for one in run.raised if one.kind == kind and truth.start_ms <= one.at_ms <= end_ms]
        if kind in CHURN_KINDS:
            found[kind] = _churn_row(kind, alerts, run, truth)
        else:
            found[kind] = _upgrade_row(alerts, run, truth)
    return found


def _row(
    alerts: Sequence[Raised], seen: Sequence[Raised], right: Sequence[bool], truth: Truth
) -> dict[str, object]:
    customers, weeks = max(1, len(truth.snapshot.customers)), truth.horizon_ms / WEEK_MS
    return {
        "n": len(alerts),
        "undecided": len(alerts) - len(seen),
        "decided": len(seen),
        "right": sum(right),
        "precision": sum(right) / len(seen) if seen else None,
        "precision_90": likely_share(sum(right), len(seen)),
        "recall": None,
        "median_lead_days": None,
        "per_1000_customers_and_week": 1_000.0 * len(alerts) / customers / weeks,
    }


def likely_share(hits: int, cases: int) -> list[float] | None:
    """Within which the true share lies in nine of ten such samples (Jeffreys)."""
    if not cases:
        return None
    low = float(beta.ppf(0.05, hits + 0.5, cases - hits + 0.5)) if hits else 0.0
    high = float(beta.ppf(0.95, hits + 0.5, cases - hits + 0.5)) if hits < cases else 1.0
    return [low, high]


def _churn_row(kind: str, alerts: Sequence[Raised], run: Run, truth: Truth) -> dict[str, object]:
    history, snapshot, horizon_ms = truth.history, truth.snapshot, truth.horizon_ms
    seen = truth.decided(alerts)
    right = _silent_after(seen, history, horizon_ms)
    row = _row(alerts, seen, right, truth)
    alerted = {one.customer for one in alerts}
    able = np.array([customer in run.eligible[kind] for customer in snapshot.customers], dtype=bool)
    caught = np.array([customer in alerted for customer in snapshot.customers], dtype=bool)
    lost = able & truth.churned
    value = snapshot.value_minor
    row["recall"] = float((lost & caught).sum() / lost.sum()) if lost.any() else None
    row["churn_rate_of_eligible"] = float(truth.churned[able].mean()) if able.any() else None
    row["value_caught_share"] = (
        float(value[lost & caught].sum() / value[lost].sum()) if value[lost].sum() > 0 else None
    )
    leads = [
        lead
        for one, was in zip(seen, right, strict=True)
        if was and (lead := _lead_days(one, history, horizon_ms)) is not None
    ]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return row


def _upgrade_row(alerts: Sequence[Raised], run: Run, truth: Truth) -> dict[str, object]:
    seen = truth.decided(alerts)
    right = [_moved(run, one, truth.horizon_ms) for one in seen]
    row = _row(alerts, seen, right, truth)
    row["recall"] = _upgrade_recall(run, alerts, truth.start_ms, truth.horizon_ms)
    leads = [_lead_up(run, one) for one, was in zip(seen, right, strict=True) if was]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return row


def _silent_after(alerts: Iterable[Raised], history: History, horizon_ms: int) -> list[bool]:
    return [
        not any(
            one.at_ms < at_ms <= one.at_ms + horizon_ms
            for at_ms in history.orders.get(one.customer, {}).values()
        )
        for one in alerts
    ]


def _lead_days(one: Raised, history: History, horizon_ms: int) -> float | None:
    """How long before the plain rule 'nothing for a whole horizon' would have called the customer lost."""
    before = [at_ms for at_ms in history.orders.get(one.customer, {}).values() if at_ms <= one.at_ms]
    return (max(before) + horizon_ms - one.at_ms) / DAY_MS if before else None


def _ups(moves: Sequence[tuple[int, int]], after_ms: int) -> tuple[int, ...]:
    """When a tier higher than the one before was reached."""
    found, tier = [], 0
    for at_ms, reached in moves:
        if reached > tier and at_ms > after_ms:
            found.append(at_ms)
        tier = reached
    return tuple(found)


def _moved(run: Run, one: Raised, horizon_ms: int) -> bool:
    return any(one.at_ms < at_ms <= one.at_ms + horizon_ms for at_ms in run.moved_up_ms.get(one.customer, ()))


def _lead_up(run: Run, one: Raised) -> float:
    return (min(at_ms for at_ms in run.moved_up_ms[one.customer] if at_ms > one.at_ms) - one.at_ms) / DAY_MS


def _upgrade_recall(run: Run, alerts: Sequence[Raised], start_ms: int, horizon_ms: int) -> float | None:
    """Of the customers who moved up within the horizon, the share that was alerted before."""
    first_ups = {
        customer: min(ups)
        for customer, moves in run.moved_up_ms.items()
        if (ups := [at_ms for at_ms in moves if at_ms <= start_ms + horizon_ms])
    }
    alerted = {(one.customer, one.at_ms) for one in alerts}
    hits = sum(any(who == customer and at <= up for who, at in alerted) for customer, up in first_ups.items())
    return hits / len(first_ups) if first_ups else None
