"""Brokers for tests that need one: `broker` is shared by the session, `own_broker` may be killed.

Both are a real Apache Kafka. Without one the tests skip and say why; STREAM_TEST_REQUIRE=kafka makes
that a failure.
"""

import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest
from docker.errors import DockerException
from hypothesis import settings

from tests.support.kafka_broker import Broker, MockBroker, start_broker, wait_until_ready
from tests.support.kafka_jars import NoBrokerError
from tests.support.required import give_up

# No deadlines: a busy machine is no fault of the program. CI tries more examples, always the same.
settings.register_profile("default", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background;
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs that tests interrupt inherit it


def _real_broker(settings: dict[str, str] | None = None) -> Broker:
    try:
        if os.environ.get("STREAM_TEST_BROKER") == "mock":
            raise NoBrokerError("this test needs a real Apache Kafka, and STREAM_TEST_BROKER=mock")
        return start_broker(settings=settings)
    except NoBrokerError as reason:
        give_up("kafka", str(reason))


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """One real Kafka for the whole run. Use topic names of your own (`prefix`)."""
    broker = _real_broker()
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def _spare_broker() -> Iterator[Broker]:
    broker = _real_broker()
    yield broker
    broker.close()


@pytest.fixture
def own_broker(_spare_broker: Broker) -> Iterator[Broker]:
    """A real Kafka for one test at a time, which may stop, kill and pause it."""
    if _spare_broker.kind == "given":
        pytest.skip("this test kills its broker; STREAM_TEST_BROKER names one that is not ours")
    yield _spare_broker
    with suppress(DockerException):  # a container that is not paused cannot be resumed
        _spare_broker.resume()
    try:
        wait_until_ready(_spare_broker.bootstrap, 10)
    except NoBrokerError:
        _spare_broker.start()


@pytest.fixture
def mock_broker() -> Iterator[MockBroker]:
    """A new mock cluster of librdkafka: 4 partitions per topic, created on first use."""
    broker = MockBroker()
    broker.start()
    yield broker
    broker.close()


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    """Kill the toy workers that a failed test left running."""
    yield
    workers = sys.modules.get("tests.faults.workers")
    for worker in workers.ALL if workers is not None else ():
        if worker.running:
            worker.kill()


@pytest.fixture
def prefix() -> str:
    """A prefix for topic and group names that no other test uses."""
    return f"t{uuid.uuid4().hex[:8]}"
