"""A broker that is frozen: the worker is not ready, then ends, and its last line names broker and time."""

import json
from pathlib import Path

import pytest

from stream.core.events.event import Event
from tests.support.kafka_broker import Broker
from tests.support.running_worker import WorkerKafka, WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_a_frozen_broker_makes_a_worker_unready_and_is_the_last_line_of_its_log(
    own_broker: Broker, prefix: str, tmp_path: Path, history: list[Event]
) -> None:
    """The clients' own complaints come before it; the process is alive until it stops.

    Whatever it waits for in that instant: tests/engine/test_frozen_broker.py.
    """
    kafka = WorkerKafka(own_broker.bootstrap, prefix).make_topics()
    kafka.send(*history)
    with WorkerProcess(kafka, tmp_path / "log", session_timeout_s="6", log_format="json") as worker:
        worker.wait_until(lambda: worker.get("/readyz")[0] == 200, "ready")
        worker.wait_until(lambda: sum(worker.metrics("events_total").values()) > 0, "an event is applied")
        own_broker.pause()
        worker.wait_until(lambda: worker.get("/readyz")[0] == 503, "unready")
        status, text = worker.get("/readyz")
        assert (status, worker.get("/healthz")[0]) == (503, 200)
        assert "Kafka has answered no heartbeat for" in text

        assert worker.process.wait(150) == 71

        last = json.loads(worker.log_text().splitlines()[-1])["event"]
        assert last.startswith("stream stops (exit 71): ")
        assert own_broker.bootstrap in last
        assert " s" in last
