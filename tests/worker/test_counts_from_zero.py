"""What alerts of Prometheus watch is at zero before the first is counted.

`rate` and `increase` see nothing of a series whose first value is 500: a burst between two scrapes, after
which nothing more comes, would be invisible.
"""

from prometheus_client import generate_latest

from stream.config.settings import Settings
from stream.deliver.watching import Watching
from stream.metrics import DeliveryMetrics
from stream.wire.outcome import Reason
from stream.worker.app import metrics_of
from stream.worker.kafka.topics import topic_names
from tests.support.builders import basis


def lines_of(metrics) -> set[str]:
    return set(generate_latest(metrics.registry).decode().splitlines())


def test_dead_letters_alerts_and_errors_of_a_worker_begin_at_zero():
    topics = topic_names(Settings())
    lines = lines_of(metrics_of(topics, basis()))

    for topic in topics.inputs:
        for reason in Reason:
            assert f'customer_stream_dead_letters_total{{reason="{reason}",topic="{topic}"}} 0.0' in lines
    row = f'customer_stream_dead_letters_total{{reason="row_unreadable",topic="{topics.profiles}"}} 0.0'
    assert row in lines
    for tier in basis().tier_names:
        alert = f'customer_stream_alerts_total{{kind="churn_risk",state="raised",tier="{tier}"}} 0.0'
        assert alert in lines
    for part in ("stream", "aiokafka", "faust", "mode"):
        assert f'customer_stream_log_lines_total{{level="error",part="{part}"}} 0.0' in lines


def test_outcomes_and_attempts_of_each_endpoint_begin_at_zero():
    metrics = DeliveryMetrics()
    Watching(metrics, ["crm"])
    lines = lines_of(metrics)

    for outcome, reason in (("accepted", ""), ("parked", ""), ("suppressed", "quiet_hours")):
        labels = f'endpoint="crm",outcome="{outcome}",reason="{reason}"'
        assert f"customer_stream_deliveries_total{{{labels}}} 0.0" in lines
    for result in ("accepted", "timeout", "refused"):
        labels = f'endpoint="crm",result="{result}"'
        assert f"customer_stream_delivery_attempts_total{{{labels}}} 0.0" in lines
