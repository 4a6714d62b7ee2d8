"""Counts of one batch, given to Prometheus at its end: a counter per event would cost more than the event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from stream.core.alert import Alert
from stream.core.step import Step
from stream.metrics import Metrics

OUTCOMES = {"applied": "applied", "duplicate": "deduplicated", "erased": "deduplicated", "passed": "applied"}


class Tally:
    """What happened since the last `publish`; `totals` is what happened since the start."""

    def __init__(self, metrics: Metrics, on_alert: Callable[[Alert], None] | None = None) -> None:
        self._metrics = metrics
        self._on_alert = on_alert
        self._events: Counter[tuple[str, str, str]] = Counter()
        self._late: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._alerts: Counter[tuple[str, str, str]] = Counter()
        self.totals: Counter[str] = Counter()

    def event(self, topic: str, kind: str, outcome: str) -> None:
        """One input record."""
        self._events[topic, kind, outcome] += 1

    def step(self, topic: str, kind: str, step: Step) -> None:
        """One event that the core saw."""
        self._events[topic, kind, OUTCOMES[step.outcome]] += 1
        if step.late:
            self._late[topic] += 1

    def refused(self, topic: str, reason: str) -> None:
        """One dead letter."""
        self._events[topic, "none", "dead_lettered"] += 1
        self._reasons[topic, reason] += 1

    def alert(self, alert: Alert) -> None:
        """One alert on its way."""
        data = alert.data
        self._alerts[data.kind, data.state, data.customer.tier] += 1
        if self._on_alert is not None:
            self._on_alert(alert)

    def publish(self) -> None:
        """Give the counts to Prometheus."""
        metrics = self._metrics
        for (topic, kind, outcome), count in self._events.items():
            metrics.events.add(count, topic, kind, outcome)
            self.totals[outcome] += count
            if outcome == "deduplicated":
                metrics.duplicates.add(count, topic)
        for topic, count in self._late.items():
            metrics.late_events.add(count, topic)
        for (topic, reason), count in self._reasons.items():
            metrics.dead_letters.add(count, topic, reason)
        for (kind, state, tier), count in self._alerts.items():
            metrics.alerts.add(count, kind, state, tier)
            self.totals["alerts"] += count
        for counts in (self._events, self._late, self._reasons, self._alerts):
            counts.clear()
