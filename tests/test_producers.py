"""Every producer that we create: what it reports as delivered is in the log, even after refused requests.

librdkafka takes a request that arrived for proof that those before it did. A broker that knows nothing of a
producer yet lets any request of it be the first (docs/decisions/0011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer

from stream.config.environment import load_settings
from stream.demo import player
from stream.engine.options import EngineOptions
from stream.engine.output.producer import Sender
from stream.engine.task.batch import Outgoing
from stream.importing.files.output.kafka import client_settings
from stream.ops import cluster
from tests.faults.verifier import read_all
from tests.support.refusing_cluster import RefusingCluster

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

TOPIC = "alerts"
ONE_EACH = {"batch.num.messages": 1}
"""Every record is a request of its own, and is sent at once while the one before it is not answered."""
VALUES = [str(number).encode() for number in range(6)]
REFUSALS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,  # of a topic that was made just now, or while leaders change
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_ENOUGH_REPLICAS,
)
Send = Callable[[bytes, int], object]
Deliver = Callable[[], object]
Made = tuple[Send, Deliver]


@pytest.fixture
def broker() -> Iterator[RefusingCluster]:
    made = RefusingCluster()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _one_record_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cluster, player):
        monkeypatch.setattr(module, "Producer", eager)


def eager(settings: dict[str, Any]) -> Producer:
    return Producer({**settings, **ONE_EACH})


def used(producer: Producer) -> Made:
    return lambda value, partition: producer.produce(TOPIC, value, b"k", partition), producer.flush


def engine_producer(bootstrap: str) -> Made:
    sender = Sender(EngineOptions("app", bootstrap, ("purchases",), "profiles", producer=ONE_EACH), "sender")
    return lambda value, partition: sender.write_records(
        [Outgoing(TOPIC, b"k", value, None, partition)]
    ), sender.wait_for_acks


def ops_producer(bootstrap: str) -> Made:
    Producer({"bootstrap.servers": bootstrap}).list_topics(TOPIC)  # there: it makes none itself
    return used(cluster.producer(load_settings({"STREAM_BROKERS": bootstrap})))


def import_producer(bootstrap: str) -> Made:
    settings = load_settings({"STREAM_BROKERS": bootstrap})
    Producer({"bootstrap.servers": bootstrap}).list_topics(TOPIC)  # there: it makes none itself
    return used(eager(client_settings(settings)))


def demo_producer(bootstrap: str) -> Made:
    return used(player.Player(bootstrap, "group", (TOPIC,), 4, lambda: None)._producer)


def default_idempotent_producer(bootstrap: str) -> Made:
    """With idempotence and its five requests at once."""
    return used(eager({"bootstrap.servers": bootstrap, "enable.idempotence": True}))


def arrived(broker: RefusingCluster, made: Callable[[str], Made], refusal: int) -> list[bytes]:
    """What is in the log once all is delivered, when the first request of a partition was refused."""
    send, deliver = made(broker.bootstrap)
    send(b"elsewhere", 1)
    deliver()
    broker.refuse(TOPIC, 0, refusal)
    broker.answer_after(100)
    for value in VALUES:
        send(value, 0)
    deliver()
    broker.answer_after(0)
    return [record.value() for record in read_all(broker.bootstrap, TOPIC) if record.partition() == 0]


@pytest.mark.parametrize(
    ("made", "refusal"),
    [(made, REFUSALS[0]) for made in (ops_producer, import_producer, demo_producer)]
    + [(engine_producer, refusal) for refusal in REFUSALS],
)
def test_a_refused_request_is_in_the_log_when_all_is_delivered(broker, made, refusal):
    assert arrived(broker, made, refusal) == VALUES


@pytest.mark.parametrize("refusal", REFUSALS)
def test_with_five_requests_in_flight_it_is_lost_and_reported_as_delivered(broker, refusal):
    """The reason for one request in flight. If this fails after an upgrade, librdkafka was mended."""
    assert arrived(broker, default_idempotent_producer, refusal) == VALUES[1:]
