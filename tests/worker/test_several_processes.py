"""`stream worker --processes 2` on a real Kafka: whoever is killed, nothing is lost or invented."""

from __future__ import annotations

import os
import re
import signal
import time
from random import Random

import msgspec
import pytest

from tests.support.running_worker import (
    STREAM,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
QUICK = {"instance_id": "machine", "session_timeout_s": "10", "flush_interval_ms": "10"}
"""A worker that is started again is the same member of the group: nobody waits for its session to end."""


class TwoWorkers(WorkerProcess):
    """`stream worker --processes 2`; `kill` ends the parent by SIGKILL."""

    command = (STREAM, "worker", "--processes", "2")

    def __enter__(self) -> TwoWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def children(self) -> list[int]:
        """Process ids of the workers that run."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as listed:
            return [int(pid) for pid in listed.read().split()]

    def kill_children(self, *which: int) -> None:
        """SIGKILL to some of them; then wait until others took their place."""
        gone = [self.children()[number] for number in which]
        for pid in gone:
            os.kill(pid, signal.SIGKILL)
        self.wait_until(
            lambda: len(self.children()) == 2 and not set(gone) & set(self.children()), "new workers"
        )

    def wait_until_open(self) -> None:
        """Until each of the two has opened the lanes of its partitions once."""
        self.wait_until(
            lambda: (
                {0, 1} <= {line.get("worker") for line in self.lines() if "lanes are open" in line["event"]}
            ),
            "both have opened their lanes",
        )

    def lines(self) -> list[dict]:
        """The lines of their log."""
        text = self.log_text().splitlines()
        return [msgspec.json.decode(line) for line in text if line.startswith("{") and line.endswith("}")]


def ends_as_replay(kafka, history) -> None:
    """What the topics hold is what replay makes of the history; an alert may be there twice."""
    profiles, alerts = replayed(history)
    assert_same_profiles(kafka.profiles(), profiles)
    assert first_difference(list(dict.fromkeys(kafka.alerts())), alerts) == ""


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_children_that_are_killed_one_by_one_and_together_are_started_again(
    new_kafka, history, tmp_path, guarantee
):
    kafka = new_kafka(12)
    kafka.send(*history)
    chance = Random(guarantee)
    with TwoWorkers(kafka, tmp_path / "log", guarantee=guarantee, **QUICK) as both:
        left: list[int] = []
        for which in ((0, 1), (chance.randrange(2),), (0, 1)):
            more = chance.randint(13, 24) if left else 1  # a start writes 12
            kafka.wait_for_rows(both, kafka.rows_written() + more)
            both.kill_children(*which)
            left.append(sum(kafka.sent().values()) - sum(kafka.committed().values()))
        assert left[0] > 0, "they were killed too late to prove anything"
        kafka.wait_for_commits(both)
        assert both.stop() == 0

    assert sum("ended with -9" in line["event"] for line in both.lines()) == 5
    ends_as_replay(kafka, history)
    if guarantee == "exactly_once":
        assert len(set(kafka.alerts())) == len(kafka.alerts())


def test_children_stop_in_order_when_the_parent_is_killed(new_kafka, history, tmp_path):
    kafka = new_kafka()
    kafka.send(*history)
    with TwoWorkers(kafka, tmp_path / "first", **QUICK) as both:
        both.wait_until_open()
        children = both.children()
        both.kill()
    until = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{pid}") and _runs(pid) for pid in children):
        assert time.monotonic() < until, "a worker outlived its parent"
        time.sleep(0.1)

    with TwoWorkers(kafka, tmp_path / "second", **QUICK) as both:
        both.wait_until_open()
        kafka.wait_for_commits(both)
        assert both.stop() == 0
    ends_as_replay(kafka, history)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_no_start_cures_stops_all_with_its_code(new_kafka, tmp_path):
    kafka = new_kafka()
    with TwoWorkers(kafka, tmp_path / "log", topic_feedback="not.there") as both:
        assert both.wait_for_exit() == 78

    assert re.search(r"worker \d ended with 78; the others are stopped", both.log_text())
