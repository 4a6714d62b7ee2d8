"""Counts of one batch, added to the Prometheus counters at its end: an increment costs more than an event.

Alerts are counted when the broker has acknowledged them.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from stream.core.alerts.alert import Alert
from stream.core.events.event import PurchaseCompleted
from stream.core.facts.profile import Judgement
from stream.core.judgement.basis import Basis
from stream.core.judgement.held import held_back, held_kinds
from stream.core.step import Outcome
from stream.engine import Lane
from stream.metrics import Metrics
from stream.wire import Rejected, Unknown
from stream.worker.monitoring.currency_watch import CurrencyWatch
from stream.worker.rows.row import LiveRow

OUTCOMES = {"applied": "applied", "duplicate": "deduplicated", "erased": "deduplicated", "passed": "applied"}
"""Step.outcome -> value of the metric label `outcome`; other outcomes keep their name."""

NAMELESS: dict[type, str] = {Unknown: "unknown", Rejected: "none"}
"""The metric label `type` of records that are no event we know."""


def type_label(kind: type) -> str:
    """The metric label `type` of an event's struct."""
    return NAMELESS.get(kind) or str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


class PendingAlert(NamedTuple):
    """An alert that was handed to the flush `flush` of its lane (one partition number of all inputs).

    It is counted, with the seconds since `decided_s` (time.monotonic), once that flush is committed.
    """

    lane: Lane[Any]
    flush: int
    decided_s: float
    labels: tuple[str, ...]
    by_shadow: bool


class BatchCounts:
    """Counts since the last `publish`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._events: defaultdict[tuple[str, type, str], int] = defaultdict(int)
        self._late: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._held: Counter[tuple[str, str]] = Counter()
        self._paid: Counter[tuple[str, Basis]] = Counter()
        self._currencies = CurrencyWatch(metrics)
        self._pending_alerts: list[PendingAlert] = []
        self.totals: Counter[str] = Counter()
        """Events, alerts and dead letters so far"""
        self.committed_at_s: float | None = None
        """When a flush was committed last, in seconds since 1970"""
        self.unsure: Counter[str] = Counter()
        """Input topic -> events so far that may be repeats, and were not added."""

    def event(self, topic: str, event: Any, outcome: str) -> None:
        """Count an input record that led to no step: repeated by offset, ignored, a tick, a model."""
        self._events[topic, type(event), outcome] += 1

    def step(self, topic: str, event: Any, outcome: Outcome, basis: Basis, *, late: bool) -> None:
        """Count an event by what its step made of it; `basis` is what its customer was judged by."""
        self._events[topic, type(event), outcome] += 1
        if type(event) is PurchaseCompleted and outcome == "applied":
            self._paid[event.data.currency, basis] += 1
        if late:
            self._late[topic] += 1
        if outcome == "unsure":
            self.unsure[topic] += 1

    def judged(
        self, row: LiveRow, judgement: Judgement, lane: Lane[Any], basis_of: Callable[[Lane[Any]], Basis]
    ) -> None:
        """Count the alerts of a customer that are held back since this judgement, and were not before."""
        held = held_kinds(judgement)
        if held != row.held:
            for kind, why in held_back(judgement, judgement.judged_ms, basis_of(lane)):
                if kind not in row.held:
                    self._held[kind, why] += 1
            row.held = held

    def dead_letter(self, topic: str, reason: str) -> None:
        """Count a dead letter."""
        self._events[topic, Rejected, "dead_lettered"] += 1
        self._reasons[topic, reason] += 1

    def row_set_aside(self, topic: str, reason: str) -> None:
        """Count the dead letter of a row, which is no input record."""
        self._reasons[topic, reason] += 1

    def alert(self, lane: Lane[Any], alert: Alert, *, by_shadow: bool = False) -> None:
        """Note an alert that the next flush of the lane sends; `by_shadow`: of a shadow policy, to nobody."""
        data = alert.data
        labels = (data.kind, data.state) if by_shadow else (data.kind, data.state, data.customer.tier)
        self._pending_alerts.append(
            PendingAlert(lane, lane.flush_number, time.monotonic(), labels, by_shadow)
        )

    def flushed(self, seconds: float) -> None:
        """A flush was committed, which took so many seconds: count its alerts."""
        self._metrics.flush_duration.observe(seconds)
        self.committed_at_s = time.time()
        pending, self._pending_alerts = self._pending_alerts, []
        now = time.monotonic()
        for each in pending:
            if each.flush > each.lane.committed_flush:
                self._pending_alerts.append(each)
                continue
            if each.by_shadow:
                self._metrics.shadow_alerts.add(1, *each.labels)
                continue
            self.totals["alerts"] += 1
            self._metrics.alerts.add(1, *each.labels)
            self._metrics.alert_latency.observe(now - each.decided_s)

    def publish(self, seconds: float) -> None:
        """Add the counts of a batch, which took so many seconds, to the Prometheus counters."""
        metrics = self._metrics
        for (topic, kind, step_outcome), count in self._events.items():
            outcome = OUTCOMES.get(step_outcome, step_outcome)
            self.totals["events"] += count
            metrics.events.add(count, topic, type_label(kind), outcome)
            if outcome == "deduplicated":
                metrics.duplicates.add(count, topic)
        for topic, count in self._late.items():
            metrics.late_events.add(count, topic)
        for (topic, reason), count in self._reasons.items():
            self.totals["dead_letters"] += count
            metrics.dead_letters.add(count, topic, reason)
        for (kind_of_alert, why), count in self._held.items():
            metrics.held_back.add(count, kind_of_alert, why)
        for (currency, basis), count in self._paid.items():
            self._currencies.note(currency, count, basis)
        metrics.batch_processing.observe(seconds)
        for counts in (self._events, self._late, self._reasons, self._paid, self._held):
            counts.clear()
