"""Counts of one batch, given to Prometheus at its end: a counter per event would cost more than the event.

Alerts are counted when the broker has acknowledged them.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from stream.core.alerts.alert import Alert
from stream.core.step import Step
from stream.engine import Lane
from stream.metrics import Metrics
from stream.wire import Rejected, Unknown

OUTCOMES = {"applied": "applied", "duplicate": "deduplicated", "erased": "deduplicated", "passed": "applied"}


NAMELESS: dict[type, str] = {Unknown: "unknown", Rejected: "none"}


def type_name(kind: type) -> str:
    """An event's type as a metric label."""
    return NAMELESS.get(kind) or str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


class OnItsWay(NamedTuple):
    """An alert that leaves with a flush of its lane."""

    lane: Lane[Any]
    flush: int
    decided_s: float
    labels: tuple[str, str, str]


class BatchCounts:
    """What happened since the last `publish`; `totals` is what happened since the start."""

    def __init__(self, metrics: Metrics, on_alert: Callable[[Alert], None] | None = None) -> None:
        self._metrics = metrics
        self._on_alert = on_alert
        self._events: defaultdict[tuple[str, type, str], int] = defaultdict(int)
        self._late: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._on_their_way: list[OnItsWay] = []
        self.totals: Counter[str] = Counter()

    def event(self, topic: str, event: Any, outcome: str) -> None:
        """One input record."""
        self._events[topic, type(event), outcome] += 1

    def step(self, topic: str, event: Any, step: Step) -> None:
        """One event that the core saw."""
        self._events[topic, type(event), step.outcome] += 1
        if step.late:
            self._late[topic] += 1

    def dead_letter(self, topic: str, reason: str) -> None:
        """One dead letter."""
        self._events[topic, Rejected, "dead_lettered"] += 1
        self._reasons[topic, reason] += 1

    def alert(self, lane: Lane[Any], alert: Alert) -> None:
        """One alert on its way."""
        data = alert.data
        labels = (data.kind, data.state, data.customer.tier)
        self._on_their_way.append(OnItsWay(lane, lane.flush_number, time.monotonic(), labels))
        if self._on_alert is not None:
            self._on_alert(alert)

    def acknowledged(self) -> None:
        """A flush is durable: its alerts are out."""
        waiting, self._on_their_way = self._on_their_way, []
        now = time.monotonic()
        for each in waiting:
            if each.flush > each.lane.committed_flush:
                self._on_their_way.append(each)
                continue
            self._metrics.alerts.add(1, *each.labels)
            self._metrics.alert_latency.observe(now - each.decided_s)
            self.totals["alerts"] += 1

    def publish(self, seconds: float) -> None:
        """Give the counts of what one lane had at hand to Prometheus."""
        metrics = self._metrics
        for (topic, kind, said), count in self._events.items():
            outcome = OUTCOMES.get(said, said)
            metrics.events.add(count, topic, type_name(kind), outcome)
            self.totals[outcome] += count
            if outcome == "deduplicated":
                metrics.duplicates.add(count, topic)
        for topic, count in self._late.items():
            metrics.late_events.add(count, topic)
        for (topic, reason), count in self._reasons.items():
            metrics.dead_letters.add(count, topic, reason)
        metrics.batch_processing.observe(seconds)
        for counts in (self._events, self._late, self._reasons):
            counts.clear()
