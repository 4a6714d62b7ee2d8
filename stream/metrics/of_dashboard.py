"""The metrics of `stream dashboard`."""

from stream.metrics.instruments import SLOW_BUCKETS, MetricSet
from stream.metrics.of_uplift import declare_uplift


class DashboardMetrics(MetricSet):
    """The metrics of `stream dashboard`."""

    def _declare(self) -> None:
        meaning = "Time of the server for one page."
        self.page_time = self.histogram("dashboard_page_seconds", meaning, SLOW_BUCKETS, "page")
        declare_uplift(self.gauges)
        self.gauges.declare("dashboard_rows", "Rows of the read store.", "table")
        self.gauges.declare(
            "alerts_judged",
            "Alerts of churn risk whose customer's own horizon was over within the last 13 weeks.",
        )
        self.gauges.declare(
            "alerts_right_share",
            "Share of them whose customers bought nothing in it (bound value), and its 90% interval.",
            "bound",
        )
        self.gauges.declare(
            "alerts_promised_share", "The mean probability of it that these alerts stated when raised."
        )
        self.gauges.declare(
            "dashboard_open_alerts", "Open alerts that nobody has snoozed.", "kind", "currency"
        )
        self.gauges.declare(
            "dashboard_at_stake_minor",
            "What they stake together (expected value), in minor units of the currency.",
            "kind",
            "currency",
        )
        self.gauges.declare("dashboard_log_bytes", "Size of the read store's write-ahead log (SQLite).")
        self.gauges.declare(
            "dashboard_lag_records", "Records of the topics that are not in the read store yet.", "topic"
        )
        self.gauges.declare(
            "dashboard_lag_seconds", "For how long something has been waiting to be read from the topics."
        )
