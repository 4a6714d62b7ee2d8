"""Events on four topics of a real Kafka become the profiles and alerts that a replay of them makes."""

import subprocess

import pytest

from stream.wire import encode_event
from tests.support.running_worker import (
    STREAM,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def wanted(history):
    return replayed(history)


@pytest.fixture(scope="module")
def replayed_alerts(history, tmp_path_factory):
    """The alerts that `stream replay` writes."""
    folder = tmp_path_factory.mktemp("replay")
    lines, alerts = folder / "events.jsonl", folder / "alerts.jsonl"
    lines.write_bytes(b"".join(encode_event(event) + b"\n" for event in history))
    subprocess.run([STREAM, "replay", lines, "--alerts", alerts], check=True, stdout=subprocess.DEVNULL)
    return alerts.read_bytes().splitlines()


@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_a_backlog_becomes_what_replay_makes_of_it(
    new_kafka, history, wanted, replayed_alerts, tmp_path, partitions
):
    kafka = new_kafka(partitions)
    kafka.send(*history)

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    assert first_difference(kafka.alerts(), replayed_alerts) == ""
    assert_same_profiles(kafka.profiles(), wanted[0])
    assert kafka.records("deadletter") == []


def test_two_workers_make_the_same_of_it(new_kafka, history, wanted, tmp_path):
    kafka = new_kafka()
    kafka.send(*history)

    with (
        WorkerProcess(kafka, tmp_path / "one") as one,
        WorkerProcess(kafka, tmp_path / "other") as other,
    ):
        one.wait_until(lambda: one.metrics("partitions_assigned") == {"": 2.0}, "half of it")
        other.wait_until(lambda: other.metrics("partitions_assigned") == {"": 2.0}, "half of it")
        kafka.wait_for_commits(one)
        assert [one.stop(), other.stop()] == [0, 0]

    assert first_difference(kafka.alerts(), wanted[1]) == ""
    assert_same_profiles(kafka.profiles(), wanted[0])
