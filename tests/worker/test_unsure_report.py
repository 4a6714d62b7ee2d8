"""Events that may be repeats are counted by topic, and told in one line a minute at most."""

from __future__ import annotations

import logging
from collections import Counter

from prometheus_client import generate_latest

from stream.metrics import Metrics
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.monitoring.unsure_report import QUIET_S, UnsureReport
from tests.support.builders import basis, visited


class Now:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_the_first_unsure_events_are_told_at_once_and_later_ones_once_a_minute(caplog):
    unsure, now = Counter[str](), Now()
    report = UnsureReport(unsure, now)
    with caplog.at_level(logging.WARNING, "stream.worker"):
        report.check()
        unsure["clicks"] = 3
        for _ in range(5):
            report.check()
            unsure["clicks"] += 1_000
            unsure["reviews"] += 1
        now.seconds += QUIET_S
        report.check()
        report.check()

    first, second = [record.getMessage() for record in caplog.records]
    assert first.startswith("3 events are unsure and were not added (clicks: 3)")
    assert second.startswith("5,005 events are unsure and were not added (clicks: 5,000, reviews: 5)")
    assert "`Unsure events`" in first


def test_unsure_events_have_an_outcome_of_their_own():
    metrics = Metrics()
    counts = BatchCounts(metrics)
    counts.step("clicks", visited(0), "unsure", basis(), late=False)

    counts.publish(0.1)

    line = (
        'customer_stream_events_total{outcome="unsure",topic="clicks",type="engagement.session_started"} 1.0'
    )
    assert line in generate_latest(metrics.registry).decode()
    assert "duplicate_events_total{" not in generate_latest(metrics.registry).decode()
    assert counts.unsure == {"clicks": 1}
