"""The brokers of the tests themselves: what is written to one can be read back, also after a kill."""

from pathlib import Path

import pytest
import yaml
from confluent_kafka import Consumer, Producer

from tests.support.kafka_broker import Broker, MockBroker, create_topics, start_broker
from tests.support.kafka_jars import NoBrokerError

ROOT = Path(__file__).parent.parent


def write(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value, partition=0)
    assert producer.flush(30) == 0


def read_first(bootstrap: str, topic: str, group: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        message = consumer.poll(60)
        return None if message is None else message.value()
    finally:
        consumer.close()


def test_the_mock_broker_gives_back_what_it_was_given(mock_broker: MockBroker, prefix: str) -> None:
    write(mock_broker.bootstrap, prefix, b"kept")

    assert read_first(mock_broker.bootstrap, prefix, prefix) == b"kept"


def test_an_unknown_kind_of_broker_is_refused_in_words() -> None:
    with pytest.raises(NoBrokerError, match="must be mock, jar, docker or host:port"):
        start_broker("rabbit")


@pytest.mark.kafka
def test_a_broker_that_stood_still_or_was_stopped_goes_on_at_its_address(
    own_broker: Broker, prefix: str
) -> None:
    create_topics(own_broker.bootstrap, [prefix], partitions=1)

    own_broker.pause()
    own_broker.resume()
    write(own_broker.bootstrap, prefix, b"kept")
    own_broker.stop()
    own_broker.start()

    assert read_first(own_broker.bootstrap, prefix, prefix) == b"kept"


@pytest.mark.kafka
def test_a_killed_broker_comes_back_with_its_records(own_broker: Broker, prefix: str) -> None:
    create_topics(own_broker.bootstrap, [prefix], partitions=2)
    write(own_broker.bootstrap, prefix, b"kept")

    own_broker.kill()
    own_broker.start()

    assert read_first(own_broker.bootstrap, prefix, prefix) == b"kept"


def test_the_oldest_kafka_that_is_supported_has_a_job_of_its_own():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    oldest = jobs["oldest-kafka"]["steps"][-1]["env"]["STREAM_TEST_KAFKA"]

    assert f"and {oldest}, the oldest that is supported" in (ROOT / "docs" / "limits.md").read_text()
