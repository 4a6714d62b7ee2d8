"""Every metric with its meaning; no other package creates one. `python -m stream.metrics` prints the page.

Names begin with customer_stream_; units are seconds and bytes. Labels come from LABELS and their values from
closed sets: a customer, campaign, event id or error text never becomes a label. Counters are increased once
per batch; gauges are read from their source when Prometheus scrapes.
"""

from stream.metrics.instruments import (
    LABELS,
    NAMESPACE,
    OTHER,
    MetricSet,
    Readings,
    families,
    label_names,
)
from stream.metrics.of_dashboard import DashboardMetrics
from stream.metrics.of_delivery import DeliveryMetrics
from stream.metrics.of_uplift import UpliftMetrics, uplift_text, watch_uplift
from stream.metrics.of_worker import Metrics
from stream.metrics.page import metrics_page

__all__ = [
    "LABELS",
    "NAMESPACE",
    "OTHER",
    "DashboardMetrics",
    "DeliveryMetrics",
    "MetricSet",
    "Metrics",
    "Readings",
    "UpliftMetrics",
    "families",
    "label_names",
    "metrics_page",
    "uplift_text",
    "watch_uplift",
]
