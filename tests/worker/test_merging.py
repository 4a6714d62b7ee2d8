"""The merge by event time on a real Kafka: transaction markers, and events sent into a running worker."""

import pytest
from confluent_kafka import Producer

from stream.wire import STRUCTURED_HEADERS, encode_event, kind_of, partition_of
from tests.support.running_worker import (
    WorkerKafka,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def send_in_transactions(kafka: WorkerKafka, events, size: int) -> None:
    """As Kafka Streams or Flink would: the log has markers between the records, and one at the end."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": kafka.names.alerts})
    producer.init_transactions(60)
    for start in range(0, len(events), size):
        producer.begin_transaction()
        for event in events[start : start + size]:
            topic, key = getattr(kafka.names, kind_of(event)), event.subject.encode()
            home = partition_of(key, kafka.partitions)
            producer.produce(topic, encode_event(event), key, home, headers=STRUCTURED_HEADERS)
        producer.commit_transaction(60)


def test_transaction_markers_at_the_end_of_a_topic_cause_no_waiting(new_kafka, history, tmp_path):
    kafka, events = new_kafka(1), history[:2_000]
    send_in_transactions(kafka, events, 100)

    with WorkerProcess(kafka, tmp_path / "log", max_idle_ms="1000") as worker:
        kafka.wait_for_commits(worker, len(events))
        assert worker.metrics("merge_given_up_total") == {}
        assert set(worker.metrics("consumer_lag_records").values()) == {0.0}
        assert worker.stop() == 0

    profiles, alerts = replayed(events)
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)


def test_events_sent_topic_by_topic_into_a_running_worker_are_merged_by_time(new_kafka, history, tmp_path):
    kafka, events = new_kafka(), [*history[:3_000], tick(history[2_999].time)]

    with WorkerProcess(kafka, tmp_path / "log", merge_wait_ms="10000") as worker:
        worker.wait_until(lambda: b"lanes are open" in worker.log.read_bytes(), "lanes opened")
        for kind in ("purchases", "engagement", "feedback", "control"):
            kafka.send(*(event for event in events if kind_of(event) == kind))
        kafka.wait_for_commits(worker)
        assert sum(worker.metrics("late_events_total").values()) == 0
        assert worker.stop() == 0

    profiles, alerts = replayed(events)
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
