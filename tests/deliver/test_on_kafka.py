"""On a real Kafka: the time of writing tells history from delay, and alerts that Kafka deleted are named."""

import signal
import time

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.support.alert_bodies import DAY_MS, alert_body
from tests.support.deliver_process import DeliverProcess, wait_until
from tests.support.kafka_broker import create_topics
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.kafka
FAR_MS = 4_000_000_000_000


def written(customer: str, age_ms: int = 0) -> bytes:
    return alert_body(customer, at_ms=time.time_ns() // 1_000_000 - age_ms, expires_ms=FAR_MS)


@pytest.fixture
def made(broker, prefix, tmp_path):
    topic = f"{prefix}customers.alerts.v1"
    others = [f"{prefix}customers.{name}.v1" for name in ("control", "deliveries")]
    create_topics(broker.bootstrap, [topic, *others], 1, {"message.timestamp.type": "LogAppendTime"})
    with WebhookReceiver() as receiver:
        (tmp_path / "endpoints.toml").write_text(receiver.endpoints_file())
        deliverer = DeliverProcess(tmp_path, broker.bootstrap, prefix)
        yield deliverer, receiver, AdminClient({"bootstrap.servers": broker.bootstrap}), topic
        if deliverer.process is not None and deliverer.process.poll() is None:
            deliverer.end(signal.SIGKILL)


def test_what_was_written_long_after_its_time_is_history_and_deleted_alerts_stop_it(made):
    deliverer, receiver, admin, topic = made
    deliverer.write(written("live"), written("history", 10 * DAY_MS), written("late", 2 * DAY_MS))
    deliverer.start("--start", "beginning")
    wait_until(lambda: len(receiver.accepted) == 2, "the alerts that are no history")
    assert deliverer.end(signal.SIGTERM) == 0

    deliverer.write(written("lost"), written("kept"))
    admin.delete_records([TopicPartition(topic, 0, 4)])[TopicPartition(topic, 0, 4)].result(30)
    with pytest.raises(AssertionError, match="deleted before they were read"):
        deliverer.start()
    assert deliverer.process is not None
    assert deliverer.process.returncode == 74

    deliverer.start("--accept-gap")
    wait_until(lambda: len(receiver.accepted) == 3, "the alert after the gap")
    assert deliverer.end(signal.SIGTERM) == 0
    assert sorted(b'"subject":"kept"' in body for body in receiver.bodies.values()) == [False, False, True]
    assert "history" not in str(receiver.bodies)


@pytest.mark.slow  # a broker is killed and starts again
def test_kafka_is_killed_and_started_again_under_it(own_broker, prefix, tmp_path):
    """Deliveries go on without Kafka; afterwards every alert has been accepted once and has its record."""
    names = [f"{prefix}customers.{name}.v1" for name in ("alerts", "control", "deliveries")]
    create_topics(own_broker.bootstrap, names, 1, {"message.timestamp.type": "LogAppendTime"})
    failed: set[str] = set()

    def fails_once(webhook_id: str) -> int:
        fails = webhook_id not in failed and len(failed) < 3
        failed.update([webhook_id] * fails)
        return 503 if fails else 200

    with WebhookReceiver(fails_once) as receiver:
        (tmp_path / "endpoints.toml").write_text(receiver.endpoints_file())
        deliverer = DeliverProcess(tmp_path, own_broker.bootstrap, prefix)
        deliverer.start()
        deliverer.write(*(written(f"a{number}") for number in range(20)))
        wait_until(lambda: len(receiver.accepted) >= 17, "what is accepted at once")
        own_broker.kill()
        wait_until(lambda: len(receiver.accepted) == 20, "what was sent again while Kafka was gone")
        own_broker.start()
        deliverer.write(*(written(f"b{number}") for number in range(20)))
        wait_until(lambda: len(receiver.accepted) == 40, "the alerts after the restart")
        wait_until(lambda: len({each.id for each in deliverer.outcomes()}) == 40, "a record for each")
        assert deliverer.end(signal.SIGTERM) == 0

    assert set(receiver.accepted.values()) == {1}
    assert {each.data.outcome for each in deliverer.outcomes()} == {"accepted"}
