"""Were the alerts right? Each one is compared with what its customer did in the horizon after it.

Only alerts whose whole horizon the data cover are judged; the others are counted as undecided.
Judging them too would favour one outcome: a purchase is seen at once, its absence only at the end of the
horizon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median

import numpy as np
from scipy.stats import beta

from stream.analysis.backtest.promised import promised_share
from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.rules import may_be_at_risk, may_churn, upgrade_opportunity
from stream.core.judgement.standing import standing
from stream.core.model.record import Model
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags
from stream.fit.history import History, Snapshot, in_order
from stream.replay.run import Replay

CHURN_KINDS = ("at_risk_loyal", "churn_risk")
ALERT_KINDS = (*CHURN_KINDS, "upgrade_opportunity")


@dataclass(frozen=True)
class RaisedAlert:
    """An alert that was raised, at the time that the clock of the business showed."""

    kind: str
    customer: str
    at_ms: int


@dataclass(frozen=True)
class RunResult:
    """What one policy did in the time after the split."""

    raised: tuple[RaisedAlert, ...]
    eligible: Mapping[str, frozenset[str]]
    """Kind of alert -> customers for whom the policy allowed it at the split."""
    moved_up_ms: Mapping[str, tuple[int, ...]]
    """Customer -> times at which a higher value tier was reached."""

    @classmethod
    def joined(cls, parts: Sequence[RunResult]) -> RunResult:
        """The result of all customers from those of parts of them."""
        return cls(
            tuple(sorted((one for part in parts for one in part.raised), key=_by_time)),
            {kind: frozenset().union(*(part.eligible[kind] for part in parts)) for kind in ALERT_KINDS},
            in_order([part.moved_up_ms for part in parts]),
        )


def _by_time(one: RaisedAlert) -> tuple[int, str, str]:
    return one.at_ms, one.customer, one.kind


class PolicyRun:
    """The worker's own step over the events after the split, starting from the profiles at the split."""

    def __init__(self, profiles: Mapping[str, Profile], basis: Basis, start_ms: int) -> None:
        self._alerts: list[Alert] = []
        self._replay = Replay(basis, self._alerts.append)
        self._start_ms = start_ms
        self._calendar = basis.meaning.calendar
        shard = self._replay.shards[0]
        shard.profiles = dict(profiles)
        shard.take(basis, start_ms)
        self.eligible = {kind: frozenset(who) for kind, who in self._eligible(profiles, basis).items()}
        self.feed = self._replay.feed

    def finished(self, clock_ms: int, alerts_until_ms: int) -> RunResult:
        """Judge the reviews due until `clock_ms` (since 1970 UTC) and return what the run did.

        Alerts count up to `alerts_until_ms`, as the clock shows it; what came later shows only whether these
        were right.
        """
        self._replay.advance(clock_ms)
        every = [
            RaisedAlert(alert.data.kind, alert.subject, self._calendar.local_ms(instant_ms(alert.time)))
            for alert in self._alerts
            if alert.data.state == "raised"
        ]
        raised = [one for one in every if one.at_ms <= alerts_until_ms]
        moved = {
            customer: tuple(
                map(
                    self._calendar.local_ms,
                    _times_moved_up(profile.judgement.tier_moves, self._start_ms),
                )
            )
            for customer, profile in self._replay.profiles.items()
        }
        return RunResult(tuple(raised), self.eligible, moved)

    def _eligible(self, profiles: Mapping[str, Profile], basis: Basis) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {kind: set() for kind in ALERT_KINDS}
        for customer, profile in profiles.items():
            now = standing(profile, self._start_ms, basis)
            if may_churn(now, basis):
                found["churn_risk"].add(customer)
            if may_be_at_risk(now, basis):
                found["at_risk_loyal"].add(customer)
            signal = upgrade_opportunity(now, profile, basis)
            if signal is not None and signal.eligible and signal.counts:
                found["upgrade_opportunity"].add(customer)
        return found


def instant_ms(text: str) -> int:
    """Milliseconds of an RFC 3339 instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


@dataclass(frozen=True)
class Truth:
    """What customers did after the split; arrays have shape (customers,), in the order of the snapshot."""

    history: History
    snapshot: Snapshot
    horizon_ms: int

    @property
    def start_ms(self) -> int:
        """The last millisecond of the split's day."""
        return self.snapshot.as_of_ms + DAY_MS - 1

    @cached_property
    def churned(self) -> Flags:
        """Which customers bought nothing within the horizon after the split."""
        return self.history.silent(self.snapshot, self.horizon_ms)

    def decided(self, alerts: Iterable[RaisedAlert]) -> list[RaisedAlert]:
        """The alerts whose whole horizon the data cover."""
        end_ms = self.history.coverage.end_ms
        return [one for one in alerts if one.at_ms + self.horizon_ms <= end_ms]


def alert_scores(run: RunResult, truth: Truth, model: Model | None = None) -> dict[str, dict[str, object]]:
    """Kind of alert -> counts, precision, recall, lead time and value of its alerts, as printed in JSON; with
    a model also what it promised of them."""
    end_ms = truth.start_ms + truth.horizon_ms
    found: dict[str, dict[str, object]] = {}
    for kind in ALERT_KINDS:
        alerts = [one for one in run.raised if one.kind == kind and truth.start_ms <= one.at_ms <= end_ms]
        if kind in CHURN_KINDS:
            found[kind] = _churn_row(kind, alerts, run, truth)
        else:
            found[kind] = _upgrade_row(alerts, run, truth)
        if model is not None:
            at_start = [one.at_ms <= truth.start_ms for one in truth.decided(alerts)]
            found[kind]["promised"] = promised_share(kind, model, sum(at_start), len(at_start))
    return found


def _row(
    alerts: Sequence[RaisedAlert], decided: Sequence[RaisedAlert], right: Sequence[bool], truth: Truth
) -> dict[str, object]:
    customers, weeks = max(1, len(truth.snapshot.customers)), truth.horizon_ms / WEEK_MS
    return {
        "n": len(alerts),
        "undecided": len(alerts) - len(decided),
        "decided": len(decided),
        "right": sum(right),
        "precision": sum(right) / len(decided) if decided else None,
        "precision_90": jeffreys_interval(sum(right), len(decided)),
        "precision_95": jeffreys_interval(sum(right), len(decided), 0.95),
        "recall": None,
        "median_lead_days": None,
        "per_1000_customers_and_week": 1_000.0 * len(alerts) / customers / weeks,
    }


def jeffreys_interval(hits: int, cases: int, share: float = 0.9) -> list[float] | None:
    """Interval (Jeffreys; 90% by default) of a share of `hits` out of `cases`; None without cases."""
    if not cases:
        return None
    tail = (1.0 - share) / 2.0
    low = float(beta.ppf(tail, hits + 0.5, cases - hits + 0.5)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 0.5, cases - hits + 0.5)) if hits < cases else 1.0
    return [low, high]


def _churn_row(kind: str, alerts: Sequence[RaisedAlert], run: RunResult, truth: Truth) -> dict[str, object]:
    history, snapshot, horizon_ms = truth.history, truth.snapshot, truth.horizon_ms
    decided = truth.decided(alerts)
    right = _silent_after(decided, history, horizon_ms)
    row = _row(alerts, decided, right, truth)
    alerted = {one.customer for one in alerts}
    eligible = np.array([customer in run.eligible[kind] for customer in snapshot.customers], dtype=bool)
    caught = np.array([customer in alerted for customer in snapshot.customers], dtype=bool)
    lost = eligible & truth.churned
    value = snapshot.value_minor
    row["recall"] = float((lost & caught).sum() / lost.sum()) if lost.any() else None
    row["churn_rate_of_eligible"] = float(truth.churned[eligible].mean()) if eligible.any() else None
    row["value_caught_share"] = (
        float(value[lost & caught].sum() / value[lost].sum()) if value[lost].sum() > 0 else None
    )
    leads = [
        lead
        for one, was in zip(decided, right, strict=True)
        if was and (lead := _lead_days(one, history, horizon_ms)) is not None
    ]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return row


def _upgrade_row(alerts: Sequence[RaisedAlert], run: RunResult, truth: Truth) -> dict[str, object]:
    decided = truth.decided(alerts)
    right = [_moved(run, one, truth.horizon_ms) for one in decided]
    row = _row(alerts, decided, right, truth)
    row["recall"] = _upgrade_recall(run, alerts, truth.start_ms, truth.horizon_ms)
    row["like_customers"], row["like_customers_moved_up"] = _like_customers(run, alerts, truth)
    leads = [_lead_up(run, one) for one, was in zip(decided, right, strict=True) if was]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return row


def _like_customers(run: RunResult, alerts: Sequence[RaisedAlert], truth: Truth) -> tuple[int, float | None]:
    """Customers for whom the policy would have allowed an upgrade opportunity at the split, but of whom none
    was raised then: how many, and the share that reached a higher tier within the horizon."""
    alerted = {one.customer for one in alerts if one.at_ms <= truth.start_ms}
    others = [one for one in run.eligible.get("upgrade_opportunity", ()) if one not in alerted]
    split = [RaisedAlert("upgrade_opportunity", customer, truth.start_ms) for customer in others]
    moved = sum(_moved(run, one, truth.horizon_ms) for one in split)
    return len(others), moved / len(others) if others else None


def _silent_after(alerts: Iterable[RaisedAlert], history: History, horizon_ms: int) -> list[bool]:
    return [
        not any(
            one.at_ms < at_ms <= one.at_ms + horizon_ms
            for at_ms in history.orders.get(one.customer, {}).values()
        )
        for one in alerts
    ]


def _lead_days(one: RaisedAlert, history: History, horizon_ms: int) -> float | None:
    """Days by which the alert comes before the rule `no purchase for a whole horizon`."""
    before = [at_ms for at_ms in history.orders.get(one.customer, {}).values() if at_ms <= one.at_ms]
    return (max(before) + horizon_ms - one.at_ms) / DAY_MS if before else None


def _times_moved_up(moves: Sequence[tuple[int, int]], after_ms: int) -> tuple[int, ...]:
    """The times after `after_ms` at which a tier higher than the one before was reached."""
    found, tier = [], 0
    for at_ms, reached in moves:
        if reached > tier and at_ms > after_ms:
            found.append(at_ms)
        tier = reached
    return tuple(found)


def _moved(run: RunResult, one: RaisedAlert, horizon_ms: int) -> bool:
    return any(one.at_ms < at_ms <= one.at_ms + horizon_ms for at_ms in run.moved_up_ms.get(one.customer, ()))


def _lead_up(run: RunResult, one: RaisedAlert) -> float:
    return (min(at_ms for at_ms in run.moved_up_ms[one.customer] if at_ms > one.at_ms) - one.at_ms) / DAY_MS


def _upgrade_recall(
    run: RunResult, alerts: Sequence[RaisedAlert], start_ms: int, horizon_ms: int
) -> float | None:
    """Of the customers who moved up within the horizon, the share with an alert before that."""
    first_ups = {
        customer: min(ups)
        for customer, moves in run.moved_up_ms.items()
        if (ups := [at_ms for at_ms in moves if at_ms <= start_ms + horizon_ms])
    }
    alerted = {(one.customer, one.at_ms) for one in alerts}
    hits = sum(any(who == customer and at <= up for who, at in alerted) for customer, up in first_ups.items())
    return hits / len(first_ups) if first_ups else None
