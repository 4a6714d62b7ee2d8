"""The real worker on the embedded broker, which needs nothing: the same outcome, and clean lines of log."""

import json

import pytest

from tests.support.kafka_broker import MockBroker
from tests.support.running_worker import (
    Ground,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

PARTITIONS = 4  # what the embedded broker gives every topic


@pytest.fixture
def here(mock_broker: MockBroker, prefix: str) -> Ground:
    """It has no requests for topics: they are there once they were asked for."""
    return Ground(mock_broker.bootstrap, prefix, PARTITIONS).touch_topics()


def test_a_worker_on_the_embedded_broker_makes_of_events_what_replay_makes(here, history, tmp_path):
    events = [*history[:2_000], tick(history[1_999].time)]
    here.send(*events)

    with WorkerProcess(here, tmp_path / "log") as worker:
        here.wait_for_commits(worker)
        assert worker.stop() == 0
        lines = worker.told().splitlines()

    profiles, alerts = replayed(events)
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)
    assert all(json.loads(line)["event"] for line in lines), "a line that is no JSON object"


@pytest.mark.slow  # the mock cluster lets a member go at the end of its session only
def test_a_worker_that_starts_again_on_the_embedded_broker_goes_on_where_it_was(here, history, tmp_path):
    parts = [[*history[:600], tick(history[599].time)], [*history[600:1_000], tick(history[999].time)]]
    for number, part in enumerate(parts):
        here.send(*part)
        with WorkerProcess(here, tmp_path / f"log{number}", session_timeout_s="6") as worker:
            here.wait_for_commits(worker)
            assert worker.stop() == 0

    profiles, alerts = replayed([event for part in parts for event in part])
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)
