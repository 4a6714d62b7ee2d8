"""Which series the processes have, and which a text names."""

from __future__ import annotations

import re

from stream.metrics import NAMESPACE, DashboardMetrics, DeliveryMetrics, Metrics, UpliftMetrics, families

HISTOGRAM = ("_bucket", "_count", "_sum")
SERIES = {"counter": ("_total",), "histogram": HISTOGRAM, "info": ("_info",), "gauge": ("",)}


def series() -> set[str]:
    """The names of all series of all processes."""
    every = (Metrics(), DeliveryMetrics(), DashboardMetrics(), UpliftMetrics())
    declared = [family for metrics in every for family in families(metrics)]
    return {family.name + end for family in declared for end in SERIES[family.type]}


def metrics_named(text: str) -> set[str]:
    """The series of ours that a text names."""
    return set(re.findall(rf"\b{NAMESPACE}_[a-z_]+", text))
