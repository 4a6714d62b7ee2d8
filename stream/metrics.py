"""Every metric with its meaning; no other module creates one. `python -m stream.metrics` prints the page.

Names begin with customer_stream_; units are seconds and bytes. Labels come from LABELS and their values from
closed sets: a customer, campaign, event id or error text never becomes a label. Counters are increased once
per batch; gauges are read from their source when Prometheus scrapes.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]  # *_created would double the number of series

NAMESPACE = "customer_stream"
LABELS = frozenset({
    "topic", "partition", "type", "outcome", "reason", "kind", "state", "tier", "table", "endpoint", "result",
    "page",
})  # fmt: skip
CHILDREN_MAX = 5_000
"""Combinations of label values per metric: more than the closed sets have. Further ones count as `other`."""
OTHER = "other"

FAST_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
SLOW_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)

Readings = Mapping[tuple[str, ...], float]
"""Label values -> value of a gauge; the key is empty for a gauge without labels."""

ClosedSets = Mapping[str, frozenset[str]]
"""Label -> all values it may have. A label that is missing here is not limited."""


class Count:
    """A Prometheus counter. A label value outside its closed set counts as `other`."""

    def __init__(self, name: str, counter: Counter, labels: tuple[str, ...], closed: ClosedSets) -> None:
        self.name = name.removesuffix("_total")
        self.labels = labels
        self._counter = counter
        self._closed = [closed.get(label) for label in labels]
        self._children: dict[tuple[str, ...], Counter] = {}

    def add(self, amount: float, *values: str) -> None:
        """Count `amount` more under these label values."""
        child = self._children.get(values)
        if child is None:
            child = self._bind(values)
        child.inc(amount)

    def _bind(self, values: tuple[str, ...]) -> Counter:
        known = tuple(
            value if allowed is None or value in allowed else OTHER
            for value, allowed in zip(values, self._closed, strict=True)
        )
        if len(self._children) >= CHILDREN_MAX:  # not cached: there may be no end of them
            return self._counter.labels(*[OTHER] * len(values))
        child = self._counter.labels(*known) if known else self._counter
        self._children[values] = child
        return child


class Gauges(Collector):
    """Gauges that are read at the scrape; a gauge without source has no samples."""

    def __init__(self) -> None:
        self.meanings: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._sources: dict[str, Callable[[], Readings]] = {}

    def declare(self, name: str, meaning: str, *labels: str) -> None:
        """Add a gauge; `watch` gives it its source."""
        self.meanings[f"{NAMESPACE}_{name}"] = (meaning, labels)

    def watch(self, name: str, source: Callable[[], Readings]) -> None:
        """Read this gauge from `source` at every scrape."""
        full = f"{NAMESPACE}_{name}"
        assert full in self.meanings, f"{name} is not declared in stream/metrics.py"
        self._sources[full] = source

    def collect(self) -> Iterator[Metric]:
        for name, (meaning, labels) in self.meanings.items():
            family = GaugeMetricFamily(name, meaning, labels=labels)
            source = self._sources.get(name)
            for values, reading in (source() if source else {}).items():
                family.add_metric(values, reading)
            yield family

    def describe(self) -> Iterable[Metric]:
        """Names only, for the registry: the sources are not read."""
        return [GaugeMetricFamily(name, meaning) for name, (meaning, _) in self.meanings.items()]


class _MetricSet:
    """The metrics of one process, in their own registry."""

    def __init__(self, closed: Mapping[str, Iterable[str]] | None = None) -> None:
        """`closed`: label -> all values it may have. A label that is missing there is not limited."""
        self.registry = CollectorRegistry()
        self._closed = {label: frozenset(values) for label, values in (closed or {}).items()}
        self.gauges = Gauges()
        self._declare()
        self.registry.register(self.gauges)
        self.build = Info(
            f"{NAMESPACE}_build", "Versions of this program and of Python.", registry=self.registry
        )
        self.build.info({"version": __version__, "python": platform.python_version()})

    def _declare(self) -> None:
        raise NotImplementedError

    def _count(self, name: str, meaning: str, *labels: str) -> Count:
        counter = Counter(f"{NAMESPACE}_{name}", meaning, labels, registry=self.registry)
        return Count(f"{NAMESPACE}_{name}", counter, labels, self._closed)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{NAMESPACE}_{name}", meaning, labels, buckets=buckets, registry=self.registry)


class Metrics(_MetricSet):
    """The metrics of a worker."""

    def _declare(self) -> None:
        self._declare_input()
        self._declare_output()
        self._declare_engine()
        _declare_gauges(self.gauges)

    def _declare_input(self) -> None:
        self.events = self._count(
            "events_total",
            "Input records by outcome: applied, deduplicated, unsure (may be a repeat, not added), ignored "
            "(unknown type), dead_lettered.",
            "topic",
            "type",
            "outcome",
        )
        self.late_events = self._count(
            "late_events_total",
            "Events older than the last judgement of their customer; they are applied all the same.",
            "topic",
        )
        self.duplicates = self._count(
            "duplicate_events_total", "Repeated events, known by offset (after a crash) or by id.", "topic"
        )
        self.purchases_not_ranked = self._count(
            "purchases_not_ranked_total",
            "Purchases in a currency in which customers are not ranked, without a rate in the policy.",
        )
        self.dead_letters = self._count(
            "dead_letters_total", "Records sent to the dead-letter topic.", "topic", "reason"
        )
        self.batch_processing = self._histogram(
            "batch_processing_seconds",
            "Time to apply a batch: the records of one partition that can be applied now.",
            FAST_BUCKETS,
        )

    def _declare_output(self) -> None:
        self.alerts = self._count("alerts_total", "Alerts sent and acknowledged.", "kind", "state", "tier")
        self.alert_latency = self._histogram(
            "alert_latency_seconds",
            "Time from the decision to alert until the broker has acknowledged the alert.",
            SLOW_BUCKETS,
        )

    def _declare_engine(self) -> None:
        self.flush_duration = self._histogram(
            "flush_duration_seconds",
            "Time to write a batch's rows and alerts until all are acknowledged.",
            SLOW_BUCKETS,
        )
        self.merge_given_up = self._count(
            "merge_given_up_total",
            "Times that the merge went on without a topic that had records but gave none in time.",
            "topic",
        )
        self.rebalances = self._count("rebalances_total", "Rebalances of the consumer group.")


class DeliveryMetrics(_MetricSet):
    """The metrics of `stream deliver run`. Labels `endpoint` are the sections of its file."""

    def _declare(self) -> None:
        self.deliveries = self._count(
            "deliveries_total",
            "Deliveries by outcome: accepted, parked, expired, superseded, suppressed (and why), disabled.",
            "endpoint",
            "outcome",
            "reason",
        )
        self.attempts = self._count(
            "delivery_attempts_total",
            "HTTP requests to endpoints: accepted, or the kind of failure.",
            "endpoint",
            "result",
        )
        self.no_alerts = self._count("no_alerts_total", "Records of the alerts topic that are no alerts.")
        self.latency = self._histogram(
            "delivery_latency_seconds",
            "Time from reading an alert until its endpoint has accepted it.",
            SLOW_BUCKETS,
        )
        gauges = self.gauges
        gauges.declare("deliveries_pending", "Deliveries without outcome.", "endpoint")
        gauges.declare(
            "delivery_oldest_pending_seconds", "Age of the oldest delivery without outcome.", "endpoint"
        )
        gauges.declare("endpoint_breaker_open", "1 while an endpoint that fails is left alone.", "endpoint")
        gauges.declare("endpoint_disabled", "1 while nothing is sent to an endpoint.", "endpoint")
        gauges.declare("alerts_unread_records", "Alerts on the topic that were not read yet.", "partition")


def _declare_gauges(gauges: Gauges) -> None:
    gauges.declare(
        "consumer_lag_records", "Records on the broker that were not applied yet.", "topic", "partition"
    )
    gauges.declare(
        "watermark_timestamp_seconds", "Event time up to which everything was applied.", "partition"
    )
    gauges.declare("event_time_lag_seconds", "How far the watermark is behind the wall clock.", "partition")
    gauges.declare(
        "partition_live", "1 when the wall clock moves time, 0 in a history: its own events do.", "partition"
    )
    gauges.declare("source_stalled", "1 while no purchases arrive and churn is not judged.", "topic")
    gauges.declare(
        "open_transaction_seconds",
        "How long a producer's open transaction has hidden records; no sample without one.",
        "topic",
        "partition",
    )
    gauges.declare(
        "held_records", "Records that wait for a purchase or a tick while source_stalled is 1.", "topic"
    )
    gauges.declare("partitions_assigned", "Partition numbers assigned to this worker.")
    gauges.declare("recovering", "1 while the table is being restored and no event is applied.")
    gauges.declare("table_keys", "Rows in the table; an estimate with the rocksdb store.", "table")
    gauges.declare("unflushed_events", "Applied events whose rows and alerts are not durable yet.")


class DashboardMetrics(_MetricSet):
    """The metrics of `stream dashboard`."""

    def _declare(self) -> None:
        meaning = "Time of the server for one page."
        self.page_time = self._histogram("dashboard_page_seconds", meaning, SLOW_BUCKETS, "page")
        self.gauges.declare("dashboard_rows", "Rows of the read store.", "table")
        self.gauges.declare("dashboard_log_bytes", "Size of the read store's write-ahead log (SQLite).")


def families(metrics: _MetricSet) -> list[Metric]:
    """Every metric family of a process, sorted by name."""
    return sorted(metrics.registry.collect(), key=lambda family: family.name)


def label_names(metrics: _MetricSet) -> dict[str, tuple[str, ...]]:
    """Metric family -> its labels."""
    named = {name: labels for name, (_, labels) in metrics.gauges.meanings.items()}
    for member in vars(metrics).values():
        if isinstance(member, Count):
            named[member.name] = member.labels
        elif isinstance(member, Histogram):
            named[member._name] = member._labelnames
    return named


def metrics_page() -> str:
    """The page docs/metrics.md, as Markdown."""
    lines = [
        "# Metrics",
        "",
        "Generated by `python -m stream.metrics`; the table is in `stream/metrics.py`. Served at `/metrics`.",
    ]
    for title, metrics in (
        ("Worker", Metrics()),
        ("stream deliver", DeliveryMetrics()),
        ("stream dashboard", DashboardMetrics()),
    ):
        lines += ["", f"## {title}", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
        labels = label_names(metrics)
        for family in families(metrics):
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            named = ", ".join(labels.get(family.name, ()))
            lines.append(f"| `{name}` | {family.type} | {named} | {family.documentation} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(metrics_page(), end="")
