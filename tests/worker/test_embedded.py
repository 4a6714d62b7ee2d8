"""The real worker on the embedded broker: the results of a replay, and only JSON in the log."""

import json

import pytest

from tests.support.kafka_broker import MockBroker
from tests.support.running_worker import (
    WorkerKafka,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

PARTITIONS = 4  # what the embedded broker gives every topic


@pytest.fixture
def kafka(mock_broker: MockBroker, prefix: str) -> WorkerKafka:
    """A topic of the embedded broker is created by a request for its metadata."""
    return WorkerKafka(mock_broker.bootstrap, prefix, PARTITIONS).touch_topics()


def test_a_worker_on_the_embedded_broker_makes_of_events_what_replay_makes(kafka, history, tmp_path):
    events = [*history[:2_000], tick(history[1_999].time)]
    kafka.send(*events)

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
        lines = worker.log_text().splitlines()

    assert list(worker.working_directory.iterdir()) == []
    profiles, alerts = replayed(events)
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
    assert all(json.loads(line)["event"] for line in lines), "a line that is no JSON object"


@pytest.mark.slow  # the mock cluster lets a member go at the end of its session only
def test_a_worker_that_starts_again_on_the_embedded_broker_goes_on_where_it_was(kafka, history, tmp_path):
    parts = [[*history[:600], tick(history[599].time)], [*history[600:1_000], tick(history[999].time)]]
    for number, part in enumerate(parts):
        kafka.send(*part)
        with WorkerProcess(kafka, tmp_path / f"log{number}", session_timeout_s="6") as worker:
            kafka.wait_for_commits(worker)
            assert worker.stop() == 0

    profiles, alerts = replayed([event for part in parts for event in part])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
