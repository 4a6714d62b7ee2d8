"""What is reported as delivered has arrived, whatever the broker refused on the way: every producer we make.

librdkafka takes a request that arrived for proof that those before it did. A broker that knows nothing of a
producer yet lets any request of it be the first (docs/decisions/0011).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, Producer

from stream.demo.player import Player
from stream.engine.lane import Outgoing
from stream.engine.options import EngineOptions
from stream.engine.sender import Sender
from stream.environment import load_settings
from stream.operate import cluster
from stream.replay.mapping.kafka_out import client_settings
from tests.faults.verifier import read_all
from tests.refusing_cluster import RefusingCluster

TOPIC = "alerts"
VALUES = [str(number).encode() for number in range(6)]
REFUSALS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,  # of a topic that was made just now, or while leaders change
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_ENOUGH_REPLICAS,
)
Send = Callable[[bytes, int], None]
Deliver = Callable[[], object]


@pytest.fixture
def broker() -> Iterator[RefusingCluster]:
    made = RefusingCluster()
    yield made
    made.close()


def of_the_engine(bootstrap: str) -> tuple[Send, Deliver]:
    sender = Sender(EngineOptions("app", bootstrap, ("purchases",), "profiles"), "sender")
    return lambda value, partition: sender.write(
        [Outgoing(TOPIC, b"k", value, None, partition)]
    ), sender.deliver


def of_a_producer(producer: Producer) -> tuple[Send, Deliver]:
    return lambda value, partition: producer.produce(TOPIC, value, b"k", partition), producer.flush


def of_the_tools(bootstrap: str) -> tuple[Send, Deliver]:
    return of_a_producer(cluster.producer(load_settings({"STREAM_BROKERS": bootstrap})))


def of_the_import(bootstrap: str) -> tuple[Send, Deliver]:
    settings = load_settings({"STREAM_BROKERS": bootstrap})
    Producer({"bootstrap.servers": bootstrap}).list_topics(TOPIC)  # there: it makes none itself
    return of_a_producer(Producer(client_settings(settings)))


def of_the_demo(bootstrap: str) -> tuple[Send, Deliver]:
    return of_a_producer(Player(bootstrap, "group", (TOPIC,), 4, lambda: None)._producer)


@pytest.mark.parametrize(
    ("made", "refusal"),
    [(made, REFUSALS[0]) for made in (of_the_tools, of_the_import, of_the_demo)]
    + [(of_the_engine, refusal) for refusal in REFUSALS],
)
def test_what_was_refused_at_first_is_in_the_log_when_all_is_delivered(broker, made, refusal):
    send, deliver = made(broker.bootstrap)
    send(b"elsewhere", 1)
    deliver()
    broker.refuse(TOPIC, 0, refusal)
    broker.answer_after(100)

    for value in VALUES:  # each a request of its own, ready before the one before it is answered
        send(value, 0)
        time.sleep(0.06)
    deliver()

    broker.answer_after(0)
    found = read_all(broker.bootstrap, TOPIC)
    assert [record.value() for record in found if record.partition() == 0] == VALUES
