"""The gauges of a readout of an experiment: `stream uplift --prometheus` writes them to a file for a textfile
collector, and the dashboard serves them of what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import generate_latest

from stream.metrics.instruments import Gauges, MetricSet, Readings

ALL = "all"
"""Label value for customers of every kind of alert, or of every tier."""


class UpliftMetrics(MetricSet):
    """The gauges of one readout."""

    def _declare(self) -> None:
        declare_uplift(self.gauges)


def declare_uplift(gauges: Gauges) -> None:
    """The gauges of a readout, as some of a process."""
    declare = gauges.declare
    declare("uplift_customers", "Customers in each arm of the experiment, once for each period.", "arm")
    declare("uplift_sample_ratio_p", "How probable such sizes of the arms are; below 0.001 all is hidden.")
    declare(
        "uplift_repurchase_difference",
        "Share who bought again, treated minus held out (bound value), and its range (low, high).",
        *("kind", "tier", "bound"),
    )
    declare("uplift_computed_timestamp_seconds", "When the readout was computed, since 1970.")


def uplift_text(document: Mapping[str, Any], computed_s: float) -> bytes:
    """A readout (stream/analysis/uplift/document.py) in Prometheus' text format."""
    metrics = UpliftMetrics()
    watch_uplift(metrics.gauges, lambda: (document, computed_s))
    return generate_latest(metrics.registry)


def watch_uplift(gauges: Gauges, readout: Callable[[], tuple[Mapping[str, Any], float] | None]) -> None:
    """Read the gauges from the latest readout and when it was computed (None: there is none)."""

    def watch(name: str, reading: Callable[[Mapping[str, Any], float], Readings]) -> None:
        def read() -> Readings:
            found = readout()
            return {} if found is None else reading(*found)

        gauges.watch(name, read)

    watch("uplift_customers", lambda of, _: {(arm,): of["customers"][arm] for arm in ("treated", "held_out")})
    watch("uplift_sample_ratio_p", lambda of, _: {(): of["sample_ratio"]["p"]})
    watch("uplift_repurchase_difference", lambda of, _: dict(_differences(of)))
    watch("uplift_computed_timestamp_seconds", lambda _, computed_s: {(): computed_s})


def _differences(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    groups = [((ALL, ALL), document["all"])]
    groups += [((kind, ALL), one) for kind, one in document["kinds"].items()]
    groups += [((ALL, tier), one) for tier, one in document["tiers"].items()]
    for labels, one in groups:
        if one is not None and one["repurchase"] is not None:
            for bound in ("value", "low", "high"):
                yield (*labels, bound), one["repurchase"][bound]
