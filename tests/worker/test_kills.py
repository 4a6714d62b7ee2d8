"""kill -9 while events are processed, several times: nothing is lost and nothing is invented."""

from collections import Counter
from random import Random

import msgspec
import pytest

from tests.support.running_worker import WorkerProcess, assert_same_profiles, first_difference, replayed

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
KILLS = 3


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_a_worker_that_is_killed_again_and_again_ends_where_replay_ends(
    new_kafka, history, tmp_path, guarantee
):
    kafka = new_kafka(12)  # a partition at hand is folded in one go: many partitions are many flushes
    kafka.send(*history)
    random = Random(guarantee)
    # The same instance comes back, as a pod of a StatefulSet does: nobody waits for its session to end.
    settings = {"guarantee": guarantee, "instance_id": "worker-0", "flush_interval_ms": "10"}
    total = sum(kafka.sent().values())
    left = []

    for number in range(KILLS):
        with WorkerProcess(kafka, tmp_path / f"log{number}", **settings) as worker:
            kafka.wait_for_rows(worker, kafka.rows_written() + (random.randint(1, 12) if number else 1))
            worker.kill()
        left.append(total - sum(kafka.committed().values()))
    assert left[0] > 0, "it was killed too late to prove anything"
    with WorkerProcess(kafka, tmp_path / "log", **settings) as worker:
        worker.wait_until(lambda: b"lanes are open" in worker.log.read_bytes(), "lanes opened")
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    profiles, alerts = replayed(history)
    assert_same_profiles(kafka.profiles(), profiles)
    found = kafka.alerts()
    if guarantee == "at_least_once":
        by_id = {msgspec.json.decode(body)["id"]: body for body in found}
        assert set(by_id.values()) == set(found), "a resend says something else under the same id"
        found = list(dict.fromkeys(found))
    assert first_difference(found, alerts) == ""
    assert max(Counter(found).values()) == 1


def test_another_worker_takes_over_from_one_that_was_killed(new_kafka, history, tmp_path):
    kafka = new_kafka()
    kafka.send(*history)
    quick = {"session_timeout_s": "10", "flush_interval_ms": "10"}

    with WorkerProcess(kafka, tmp_path / "first", **quick) as first:
        kafka.wait_for_commits(first, len(history) // 10)
        with WorkerProcess(kafka, tmp_path / "second", **quick) as second:
            first.kill()
            second.wait_until(lambda: b"lanes are open" in second.log.read_bytes(), "lanes opened")
            kafka.wait_for_commits(second)
            assert second.stop() == 0

    profiles, alerts = replayed(history)
    assert_same_profiles(kafka.profiles(), profiles)
    assert first_difference(list(dict.fromkeys(kafka.alerts())), alerts) == ""
