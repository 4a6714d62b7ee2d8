"""The metrics of `stream deliver run`."""

from stream.metrics.instruments import SLOW_BUCKETS, MetricSet


class DeliveryMetrics(MetricSet):
    """The metrics of `stream deliver run`. Labels `endpoint` are the sections of its file."""

    def _declare(self) -> None:
        self.deliveries = self.count(
            "deliveries_total",
            "Deliveries by outcome: accepted, parked, expired, superseded, suppressed (and why), disabled.",
            "endpoint",
            "outcome",
            "reason",
        )
        self.put_off = self.count(
            "deliveries_put_off_total",
            "Deliveries that wait on purpose, counted when that begins: muted (also snoozed), quiet_hours, "
            "budget. What is never sent is in deliveries_total, as suppressed.",
            "endpoint",
            "reason",
        )
        self.attempts = self.count(
            "delivery_attempts_total",
            "HTTP requests to endpoints: accepted, or the kind of failure.",
            "endpoint",
            "result",
        )
        self.no_alerts = self.count("no_alerts_total", "Records of the alerts topic that are no alerts.")
        self.latency = self.histogram(
            "delivery_latency_seconds",
            "Time from reading an alert until its endpoint has accepted it.",
            SLOW_BUCKETS,
        )
        gauges = self.gauges
        gauges.declare("deliveries_pending", "Deliveries without outcome.", "endpoint")
        gauges.declare(
            "delivery_oldest_pending_seconds",
            "How long the oldest delivery without outcome has waited for its endpoint.",
            "endpoint",
        )
        gauges.declare("endpoint_breaker_open", "1 while an endpoint that fails is left alone.", "endpoint")
        gauges.declare("endpoint_disabled", "1 while nothing is sent to an endpoint.", "endpoint")
        gauges.declare("alerts_unread_records", "Alerts on the topic that were not read yet.", "partition")
