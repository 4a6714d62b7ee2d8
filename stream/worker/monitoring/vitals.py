"""Gauges, liveness and readiness of a running engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from stream.engine import EngineApp, Lane
from stream.metrics import Metrics, Readings
from stream.worker.monitoring.stall_report import Clock, held_records

STUCK_AFTER_S = 120.0
"""The process counts as stuck when it has records and applies none for so long."""


def watch(metrics: Metrics, app: EngineApp[Any], table: str, now: Clock = time.time) -> None:
    """Have the engine's gauges (lag, watermarks, stalls, partitions, table, unflushed events) read at each
    scrape.

    Also counts rebalances. `table` is the value of the label `table` of customer_stream_table_keys. `now`
    gives seconds since 1970 for event_time_lag_seconds; it is an argument for the tests.
    """
    lanes = app.delivery.lanes
    purchases = app.options.reference or ""
    watched: dict[str, Callable[[], Readings]] = {
        "consumer_lag_records": lambda: _lag(lanes.values()),
        "watermark_timestamp_seconds": lambda: _watermarks(lanes.values()),
        "event_time_lag_seconds": lambda: {
            labels: max(0.0, now() - reading) for labels, reading in _watermarks(lanes.values()).items()
        },
        "reviews_waiting": lambda: {(): sum(lane.due.count for lane in lanes.values())},
        "reviews_waiting_seconds": lambda: {(): max(map(_overdue_s, lanes.values()), default=0.0)},
        "partition_live": lambda: {
            (str(lane.partition),): float(not lane.clock.in_history) for lane in lanes.values()
        },
        "source_stalled": lambda: {(purchases,): float(any(lane.stalled for lane in lanes.values()))},
        "held_records": lambda: held_records(app),
        "open_transaction_seconds": lambda: {
            (tp.topic, str(tp.partition)): open_s for tp, open_s in app.transactions.hidden_s().items()
        },
        "partitions_assigned": lambda: {(): len(lanes)},
        "ready": lambda: {(): float(not readiness_problems(app))},
        "recovery_rows_left": lambda: {(): app.recovery.left},
        "recovery_seconds_left": lambda: {(): app.recovery.seconds_left},
        "recovering": lambda: {(): float(not app.delivering)},
        "table_keys": lambda: {(table,): sum(lane.table.row_count() for lane in lanes.values())},
        "unflushed_events": lambda: {(): sum(lane.uncommitted for lane in lanes.values())},
    }
    for name, source in watched.items():
        metrics.gauges.watch(name, source)
    app.on_partitions_assigned.connect(_count_rebalances(metrics), weak=False)


def _count_rebalances(metrics: Metrics) -> Callable[..., Any]:
    async def count_rebalance(*_: Any, **__: Any) -> None:
        metrics.rebalances.add(1)

    return count_rebalance


def _lag(lanes: Any) -> Readings:
    return {
        (source.topic, str(source.partition)): max(0, source.highwater - source.applied)
        for lane in lanes
        for source in lane.sources
    }


def _watermarks(lanes: Any) -> Readings:
    """Behind the clock of a lane while reviews wait that were due before it."""
    return {
        (str(lane.partition),): lane.clock_ms / 1_000 - _overdue_s(lane)
        for lane in lanes
        if lane.clock_ms is not None
    }


def _overdue_s(lane: Lane[Any]) -> float:
    """How long ago, by the lane's clock, the oldest review that waits was due."""
    since_ms, clock_ms = lane.due.since_ms, lane.clock_ms
    return 0.0 if since_ms is None or clock_ms is None else (clock_ms - since_ms) / 1_000


def readiness_problems(app: EngineApp[Any]) -> Sequence[str]:
    """Why this worker does not apply events now; empty when it does."""
    if not app.delivering:
        return ["no partitions are assigned yet, or the table is still being restored"]
    if unanswered_s := app.group.unanswered_s:
        return [f"Kafka has answered no heartbeat for {unanswered_s:.0f} s: nothing can be read or committed"]
    return []


class Liveness:
    """Whether the engine applies the records it has. Records that Kafka does not deliver do not count."""

    def __init__(self, app: EngineApp[Any], now: Clock = time.monotonic) -> None:
        self._app = app
        self._now = now
        self._seen: dict[int, tuple[int, float]] = {}

    def __call__(self) -> Sequence[str]:
        """The reasons to replace this process; empty when it works."""
        reasons = []
        for number, lane in self._app.delivery.lanes.items():
            stuck_s = self._stuck_s(number, lane)
            if stuck_s > STUCK_AFTER_S:
                reasons.append(f"partition {number}: has records but applied none for {stuck_s:.0f} s")
        return reasons

    def _stuck_s(self, number: int, lane: Lane[Any]) -> float:
        now = self._now()
        waiting = any(source.pending for source in lane.sources) and not lane.stalled
        count, since = self._seen.get(number, (-1, now))
        if not waiting or count != lane.applied_count:
            since = now
        self._seen[number] = (lane.applied_count, since)
        return now - since
