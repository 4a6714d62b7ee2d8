"""Two sets of topics with one application name: their workers neither fence nor disturb each other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.core.events.event import Event
from tests.support.running_worker import WorkerKafka, WorkerProcess, replayed, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_workers_of_two_prefixes_under_exactly_once(
    new_kafka: Callable[..., WorkerKafka], broker, prefix: str, history: list[Event], tmp_path: Path
) -> None:
    first, second = new_kafka(2), WorkerKafka(broker.bootstrap, f"{prefix}b", 2).make_topics()
    events = [*history[:200], tick(history[199].time)]
    same = {"app_id": prefix, "guarantee": "exactly_once", "session_timeout_s": "10"}

    with (
        WorkerProcess(first, tmp_path / "first", **same) as one,
        WorkerProcess(second, tmp_path / "second", **same) as other,
    ):
        for kafka, worker in ((first, one), (second, other)):
            wait_for_profiles(kafka, worker, events)
        assert one.stop() == other.stop() == 0


def wait_for_profiles(kafka: WorkerKafka, worker: WorkerProcess, events: list[Event]) -> None:
    """Send the events, and wait until the worker has written a profile of every customer."""
    customers = replayed(events)[0].keys()
    worker.wait_until(lambda: "lanes are open" in worker.log_text(), "open lanes")
    kafka.send(*events)
    worker.wait_until(lambda: {row for row in kafka.rows() if row[0] != "\0"} == customers, "profiles")
