"""A policy runs over the events after the split, in the worker's own steps: what it raised, about whom."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stream.analysis.backtest.running_total import RunningTotal
from stream.core.alerts.alert import Alert
from stream.core.events.event import Event, PurchaseCompleted
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.rules import may_be_at_risk, may_churn, upgrade_opportunity
from stream.core.judgement.standing import standing
from stream.fit.history import in_order
from stream.fit.upgrade_moments import paid_so_far_minor
from stream.replay.run import Replay

UPGRADE = "upgrade_opportunity"
CHURN_KINDS = ("at_risk_loyal", "churn_risk")
ALERT_KINDS = (*CHURN_KINDS, UPGRADE)


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
    paid: Mapping[str, RunningTotal] = field(default_factory=dict)
    """Customer of whom an upgrade opportunity was raised or allowed -> what they paid since the split."""

    @classmethod
    def joined(cls, parts: Sequence[RunResult]) -> RunResult:
        """The result of all customers from those of parts of them."""
        return cls(
            tuple(sorted((one for part in parts for one in part.raised), key=_by_time)),
            {kind: frozenset().union(*(part.eligible[kind] for part in parts)) for kind in ALERT_KINDS},
            in_order([part.moved_up_ms for part in parts]),
            in_order([part.paid for part in parts]),
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
        self._paid: dict[str, array[int]] = {}
        self._shard = self._replay.shards[0]
        self._shard.profiles = dict(profiles)
        self._shard.take(basis, start_ms)
        self.eligible = {kind: frozenset(who) for kind, who in self._eligible(profiles, basis).items()}

    def feed(self, event: Event) -> None:
        """Take one event; its time must not be before that of the last one."""
        self._replay.feed(event)
        if type(event) is PurchaseCompleted:
            paid_minor = paid_so_far_minor(self._shard.profiles.get(event.subject))
            at_ms = self._calendar.local_ms(event.time_ms)
            self._paid.setdefault(event.subject, array("q")).extend((at_ms, paid_minor))

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
        asked = self.eligible[UPGRADE].union(one.customer for one in raised if one.kind == UPGRADE)
        return RunResult(
            tuple(raised), self.eligible, moved, {one: self._total(one) for one in sorted(asked)}
        )

    def _total(self, customer: str) -> RunningTotal:
        noted = self._paid.get(customer, array("q"))
        now_minor = paid_so_far_minor(self._shard.profiles.get(customer))
        return RunningTotal(tuple(noted[::2]), tuple(noted[1::2]), now_minor)

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
                found[UPGRADE].add(customer)
        return found


def instant_ms(text: str) -> int:
    """Milliseconds of an RFC 3339 instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def _times_moved_up(moves: Sequence[tuple[int, int]], after_ms: int) -> tuple[int, ...]:
    """The times after `after_ms` at which a tier higher than the one before was reached."""
    found, tier = [], 0
    for at_ms, reached in moves:
        if reached > tier and at_ms > after_ms:
            found.append(at_ms)
        tier = reached
    return tuple(found)
