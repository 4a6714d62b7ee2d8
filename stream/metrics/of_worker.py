"""The metrics of `stream worker`."""

from stream.metrics.instruments import FAST_BUCKETS, SLOW_BUCKETS, Gauges, MetricSet


class Metrics(MetricSet):
    """The metrics of a worker."""

    def _declare(self) -> None:
        self._declare_input()
        self._declare_output()
        self._declare_engine()
        _declare_gauges(self.gauges)
        _declare_time(self.gauges)
        _declare_basis(self.gauges)

    def _declare_input(self) -> None:
        self.events = self.count(
            "events_total",
            "Input records by outcome: applied, deduplicated, unsure (may be a repeat, not added), ignored "
            "(unknown type), dead_lettered.",
            "topic",
            "type",
            "outcome",
        )
        self.late_events = self.count(
            "late_events_total",
            "Events older than the last judgement of their customer; they are applied all the same.",
            "topic",
        )
        self.duplicates = self.count(
            "duplicate_events_total", "Repeated events, known by offset (after a crash) or by id.", "topic"
        )
        self.purchases_not_ranked = self.count(
            "purchases_not_ranked_total",
            "Purchases in a currency in which customers are not ranked, without a rate in the policy.",
        )
        self.dead_letters = self.count(
            "dead_letters_total", "Records sent to the dead-letter topic.", "topic", "reason"
        )
        self.batch_processing = self.histogram(
            "batch_processing_seconds",
            "Time to apply a batch: the records of one partition that can be applied now.",
            FAST_BUCKETS,
        )

    def _declare_output(self) -> None:
        self.alerts = self.count("alerts_total", "Alerts sent and acknowledged.", "kind", "state", "tier")
        self.held_back = self.count(
            "alerts_held_back_total",
            "Alerts that are not raised though the score is high, counted when that begins, by its first "
            "reason: dwell (the score has to stay high), cool_down (the last one ended not long ago), "
            "other_open (a kind of higher precedence is open), raising_limit, expired (one expired, and the "
            "score has not been low since).",
            "kind",
            "reason",
        )
        self.shadow_alerts = self.count(
            "shadow_alerts_total",
            "Alerts of a shadow policy, sent to the shadow topic and acknowledged.",
            "kind",
            "state",
        )
        self.alert_latency = self.histogram(
            "alert_latency_seconds",
            "Time from the decision to alert until the broker has acknowledged the alert.",
            SLOW_BUCKETS,
        )

    def _declare_engine(self) -> None:
        self.flush_duration = self.histogram(
            "flush_duration_seconds",
            "Time to write a batch's rows and alerts until all are acknowledged.",
            SLOW_BUCKETS,
        )
        self.merge_given_up = self.count(
            "merge_given_up_total",
            "Times that the merge went on without a topic that had records but gave none in time.",
            "topic",
        )
        self.busy = self.count(
            "main_thread_cpu_seconds_total",
            "CPU time of the thread that applies events; its rate is the share of the capacity in use.",
        )
        self.not_ready = self.count(
            "not_ready_seconds_total",
            "Time in which no events were applied: joining the group, rebalances, reading rows back.",
        )
        self.log_lines = self.count(
            "log_lines_total",
            "Lines of the log from warning on, by who wrote them: stream (with librdkafka), aiokafka, faust.",
            "part",
            "level",
        )
        self.rebalances = self.count("rebalances_total", "Rebalances of the consumer group.")


def _declare_gauges(gauges: Gauges) -> None:
    gauges.declare(
        "consumer_lag_records", "Records on the broker that were not applied yet.", "topic", "partition"
    )
    gauges.declare(
        "lag_seconds",
        "How long the oldest record that was not applied yet has waited, since it was seen on the broker.",
        "topic",
        "partition",
    )
    gauges.declare(
        "last_commit_timestamp_seconds", "When rows, alerts and offsets were committed last; since 1970."
    )
    gauges.declare("ready", "1 when partitions are assigned, read back, and Kafka answers (as /readyz).")
    gauges.declare("recovery_rows_left", "Offsets of the profiles topic still to be read back.")
    gauges.declare("recovery_seconds_left", "Time until the rows are read back, at the pace so far.")
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


def _declare_time(gauges: Gauges) -> None:
    gauges.declare(
        "watermark_timestamp_seconds", "Event time up to which everything was applied.", "partition"
    )
    gauges.declare("event_time_lag_seconds", "How far the watermark is behind the wall clock.", "partition")
    gauges.declare(
        "reviews_waiting",
        "Reviews of customers that are due and take turns with events, as when a month begins in a shop of "
        "seasons.",
    )
    gauges.declare(
        "reviews_waiting_seconds", "How long ago, in event time, the oldest of these was due; 0 when none is."
    )
    gauges.declare(
        "partition_live", "1 when the wall clock moves time, 0 in a history: its own events do.", "partition"
    )
    gauges.declare("source_stalled", "1 while no purchases arrive and churn is not judged.", "topic")


def _declare_basis(gauges: Gauges) -> None:
    gauges.declare(
        "policy_info", "1 for each policy in force in a partition of this worker.", "policy", "hash"
    )
    gauges.declare(
        "shadow_policy_info", "1 for each shadow policy in a partition of this worker.", "policy", "hash"
    )
    gauges.declare("model_info", "1 for each model in force in a partition of this worker.", "model")
