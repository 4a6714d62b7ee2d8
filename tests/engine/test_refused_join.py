"""A group that will not have the worker: it ends with the reason, and does not wait for ever."""

from pathlib import Path

import pytest

from tests.faults.workers import ToyWorker, make_topics
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_a_session_time_out_that_the_broker_does_not_allow(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    make_topics(broker.bootstrap, prefix)
    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", session_timeout_s=3_000.0)

    assert worker.process.wait(60) == 78

    reason = worker.line_with("stream stops (exit 78)")
    assert f"the group {prefix}-app refuses this worker: InvalidSessionTimeoutError" in reason
