"""Also at the level of debug no record and no customer is in the log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.core.events.event import Event
from tests.support.running_worker import WorkerKafka, WorkerProcess, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_a_worker_that_logs_everything_names_no_customer(
    new_kafka: Callable[..., WorkerKafka], history: list[Event], tmp_path: Path
) -> None:
    kafka = new_kafka(2)
    kafka.send(*history[:300], tick(history[299].time))
    kafka.put(kafka.names.purchases, b"customer-bad", b"customer-bad: no event", 0)
    kafka.flush()

    with WorkerProcess(kafka, tmp_path / "log", log_level="debug") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    assert "debug" in worker.log_text()
    assert "customer-0" not in worker.log_text()
    assert "customer-bad" not in worker.log_text()
