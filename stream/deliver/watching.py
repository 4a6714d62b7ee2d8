"""What is told of a running delivery: metrics and log lines. No customer becomes a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import structlog

from stream.deliver.courier import Courier
from stream.deliver.plan.outcome import OUTCOMES, SUPPRESSED_BY
from stream.deliver.plan.verdict import Answer, Failure
from stream.deliver.queue.database import Database
from stream.deliver.queue.listing import oldest_pending_ms, pending
from stream.deliver.queue.rows import Claim, Outcomes, ReadAlert
from stream.metrics import DeliveryMetrics

log = structlog.get_logger("stream.deliver")


class Watching:
    """Of one process; the gauges show what the last `look` saw."""

    def __init__(self, metrics: DeliveryMetrics, endpoints: Sequence[str]) -> None:
        """`endpoints`: their names; what becomes of their deliveries is counted from 0."""
        self.lag: Mapping[int, int] = {}
        self._metrics = metrics
        self._pending: dict[str, int] = {}
        self._oldest_s: dict[str, float] = {}
        self._breakers: dict[str, str] = {}
        self._disabled: dict[str, bool] = {}
        metrics.deliveries.begin(endpoints, [each for each in OUTCOMES if each != "suppressed"], [""])
        metrics.deliveries.begin(endpoints, ["suppressed"], SUPPRESSED_BY)
        metrics.attempts.begin(endpoints, ["accepted", *get_args(Failure)])
        gauges = metrics.gauges
        gauges.watch("deliveries_pending", lambda: _labelled(self._pending))
        gauges.watch("delivery_oldest_pending_seconds", lambda: _labelled(self._oldest_s))
        gauges.watch(
            "endpoint_breaker_open",
            lambda: {(name,): float(state != "closed") for name, state in self._breakers.items()},
        )
        gauges.watch("endpoint_disabled", lambda: _labelled(self._disabled))
        gauges.watch(
            "alerts_unread_records", lambda: {(str(each),): float(n) for each, n in self.lag.items()}
        )

    def attempted(self, claim: Claim, answer: Answer, at_ms: int) -> None:
        """An attempt ended."""
        result = answer.failure or "accepted"
        self._metrics.attempts.add(1, claim.endpoint, result)
        if answer.accepted:
            self._metrics.latency.observe(max(0, at_ms - claim.read_ms) / 1_000)
        else:
            words = "" if answer.status else answer.detail  # an answer may quote the alert: not in a log
            log.info(
                "attempt failed", endpoint=claim.endpoint, alert=claim.alert.alert_id, failure=result,
                status=answer.status, detail=words, failures=claim.failures + 1,
            )  # fmt: skip

    def ended(self, outcomes: Outcomes) -> None:
        """Deliveries have their outcome."""
        for (endpoint, outcome, reason), count in outcomes.items():
            self._metrics.deliveries.add(count, endpoint, outcome, reason)

    def put_off(self, endpoint: str, reason: str) -> None:
        """A delivery waits on purpose."""
        self._metrics.put_off.add(1, endpoint, reason)

    def disabled(self, endpoint: str, reason: str) -> None:
        """An endpoint gets nothing more."""
        log.error("endpoint disabled", endpoint=endpoint, reason=reason, remedy="stream deliver enable")

    def unread(self, records: Sequence[ReadAlert]) -> None:
        """Records of the topic that are no alerts."""
        for each in records:
            if each.head is None:
                place = f"{each.partition}/{each.offset}"
                self._metrics.no_alerts.add(1)
                log.warning("a record of the alerts topic is no alert", place=place, reason=each.fault)

    def look(self, database: Database, courier: Courier, now_ms: int) -> None:
        """Read the gauges from the queue."""
        names = courier.names
        counts, oldest = pending(database), oldest_pending_ms(database)
        self._pending = {name: counts.get(name, 0) for name in {*names, *counts}}
        self._oldest_s = {
            name: max(0, now_ms - oldest.get(name, now_ms)) / 1_000 for name in {*names, *oldest}
        }
        self._breakers = {name: courier.breaker_state(name) for name in names}
        self._disabled = {name: courier.is_disabled(name) for name in names}


def _labelled(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): float(value) for name, value in values.items()}
