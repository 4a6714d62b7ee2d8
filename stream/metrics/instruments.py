"""Counters, gauges and histograms of one process, with labels whose values come from closed sets."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]  # *_created would double the number of series

NAMESPACE = "customer_stream"
LABELS = frozenset({
    "topic", "partition", "type", "outcome", "reason", "kind", "state", "tier", "table", "endpoint", "result",
    "page", "arm", "bound", "policy", "hash",
    "model", "part", "level", "currency",
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

    def begin(self, *values: Iterable[str]) -> None:
        """Begin at 0 for every combination of these values, given for each label."""
        for each in product(*values):
            self.add(0, *each)

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
        assert full in self.meanings, f"{name} is not declared in stream/metrics"
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


class MetricSet:
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
        ProcessCollector(registry=self.registry)  # process_*: memory, CPU, open files

    def _declare(self) -> None:
        raise NotImplementedError

    def count(self, name: str, meaning: str, *labels: str) -> Count:
        """Declare a counter of this process with these labels."""
        counter = Counter(f"{NAMESPACE}_{name}", meaning, labels, registry=self.registry)
        return Count(f"{NAMESPACE}_{name}", counter, labels, self._closed)

    def histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """Declare a histogram of seconds with these bounds and labels."""
        return Histogram(f"{NAMESPACE}_{name}", meaning, labels, buckets=buckets, registry=self.registry)


def families(metrics: MetricSet) -> list[Metric]:
    """Every metric family of a process but Prometheus' own `process_*`, sorted by name."""
    found = metrics.registry.collect()
    return sorted((each for each in found if each.name.startswith(NAMESPACE)), key=lambda each: each.name)


def label_names(metrics: MetricSet) -> dict[str, tuple[str, ...]]:
    """Metric family -> its labels."""
    named = {name: labels for name, (_, labels) in metrics.gauges.meanings.items()}
    for member in vars(metrics).values():
        if isinstance(member, Count):
            named[member.name] = member.labels
        elif isinstance(member, Histogram):
            named[member._name] = member._labelnames
    return named
