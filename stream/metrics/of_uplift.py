"""The gauges that `stream uplift --prometheus` writes to a file, for a textfile collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import generate_latest

from stream.metrics.instruments import MetricSet

ALL = "all"
"""Label value for customers of every kind of alert, or of every tier."""


class UpliftMetrics(MetricSet):
    """The gauges of one readout."""

    def _declare(self) -> None:
        declare = self.gauges.declare
        declare("uplift_customers", "Customers in each arm of the experiment, once for each period.", "arm")
        declare(
            "uplift_sample_ratio_p", "How probable such sizes of the arms are; below 0.001 all is hidden."
        )
        declare(
            "uplift_repurchase_difference",
            "Share who bought again, treated minus held out (bound value), and its range (low, high).",
            *("kind", "tier", "bound"),
        )
        declare("uplift_computed_timestamp_seconds", "When the readout was computed, since 1970.")


def uplift_text(document: Mapping[str, Any], computed_s: float) -> bytes:
    """A readout (stream/analysis/uplift/document.py) in Prometheus' text format."""
    metrics = UpliftMetrics()
    gauges, customers = metrics.gauges, document["customers"]
    gauges.watch("uplift_customers", lambda: {(arm,): customers[arm] for arm in ("treated", "held_out")})
    gauges.watch("uplift_sample_ratio_p", lambda: {(): document["sample_ratio"]["p"]})
    gauges.watch("uplift_repurchase_difference", lambda: dict(_differences(document)))
    gauges.watch("uplift_computed_timestamp_seconds", lambda: {(): computed_s})
    return generate_latest(metrics.registry)


def _differences(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    groups = [((ALL, ALL), document["all"])]
    groups += [((kind, ALL), one) for kind, one in document["kinds"].items()]
    groups += [((ALL, tier), one) for tier, one in document["tiers"].items()]
    for labels, one in groups:
        if one is not None and one["repurchase"] is not None:
            for bound in ("value", "low", "high"):
                yield (*labels, bound), one["repurchase"][bound]
