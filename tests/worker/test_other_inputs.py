"""Two workers of one group read different inputs: the one that stops names what the other does not read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.kafka_broker import create_topics
from tests.support.running_worker import WorkerKafka, WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_a_worker_with_another_name_of_one_input_is_the_reason_that_the_line_gives(
    new_kafka: Callable[..., WorkerKafka], tmp_path: Path
) -> None:
    kafka = new_kafka()
    other = f"{kafka.names.feedback}.other"
    create_topics(kafka.bootstrap, [other])
    prefix = kafka.names.feedback.removesuffix("customers.feedback.v1")
    with WorkerProcess(kafka, tmp_path / "log") as worker:
        worker.wait_until(lambda: worker.get("/readyz")[0] == 200, "ready")
        with WorkerProcess(kafka, tmp_path / "other", topic_feedback=other.removeprefix(prefix)) as strange:
            assert 78 in {strange.process.wait(60), worker.process.poll()}

            stopped = [each.log_text().splitlines()[-1] for each in (worker, strange)]
            assert any(
                "seems not to read" in line and "STREAM_TOPIC_" in line and kafka.names.feedback in line
                for line in stopped
            )
