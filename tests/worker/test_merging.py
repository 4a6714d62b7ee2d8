"""The merge by time on a real Kafka: what lies at the end of a log, and events sent into a running worker."""

import pytest
from confluent_kafka import Producer

from stream.wire import STRUCTURED_HEADERS, encode_event, kind_of, partition_of
from tests.support.running_worker import (
    Ground,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def send_in_transactions(here: Ground, events, size: int) -> None:
    """As Kafka Streams or Flink would: the log has markers between the records, and one at the end."""
    producer = Producer({"bootstrap.servers": here.bootstrap, "transactional.id": here.names.alerts})
    producer.init_transactions(60)
    for start in range(0, len(events), size):
        producer.begin_transaction()
        for event in events[start : start + size]:
            topic, key = getattr(here.names, kind_of(event)), event.subject.encode()
            home = partition_of(key, here.partitions)
            producer.produce(topic, encode_event(event), key, home, headers=STRUCTURED_HEADERS)
        producer.commit_transaction(60)


def test_markers_of_transactions_at_the_end_of_a_topic_keep_nobody_waiting(ground, history, tmp_path):
    here, events = ground(1), history[:2_000]
    send_in_transactions(here, events, 100)

    with WorkerProcess(here, tmp_path / "log", max_idle_ms="1000") as worker:
        here.wait_for_commits(worker, len(events))
        assert worker.metrics("merge_given_up_total") == {}
        assert set(worker.metrics("consumer_lag_records").values()) == {0.0}
        assert worker.stop() == 0

    profiles, alerts = replayed(events)
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)


def test_what_is_sent_topic_by_topic_into_a_running_worker_is_merged_within_the_merge_wait(
    ground, history, tmp_path
):
    here, events = ground(), [*history[:3_000], tick(history[2_999].time)]

    with WorkerProcess(here, tmp_path / "log", merge_wait_ms="10000") as worker:
        worker.wait_until(lambda: b"lanes are open" in worker.log.read_bytes(), "lanes opened")
        for kind in ("purchases", "engagement", "feedback", "control"):
            here.send(*(event for event in events if kind_of(event) == kind))
        here.wait_for_commits(worker)
        assert sum(worker.metrics("late_events_total").values()) == 0
        assert worker.stop() == 0

    profiles, alerts = replayed(events)
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)
