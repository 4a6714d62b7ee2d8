"""Records are read again at their offsets in a real log, as far as they are still there."""

import json

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.start.spot_check import keys_at
from tests.support.kafka_broker import Broker, create_topics
from tests.support.toy_app import ToyCodec

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_keys_of_the_records_that_are_there_and_can_be_decoded(broker: Broker, prefix: str) -> None:
    purchases, views = f"{prefix}.purchases", f"{prefix}.views"
    create_topics(broker.bootstrap, [purchases, views])
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    for number in range(3_000):
        event = json.dumps({"key": f"key{number}", "time_ms": number})
        producer.produce(purchases, event, "another key than the event's", 0)
        producer.produce(views, event if number % 2 else b"poison", f"view{number}", 3)
    producer.flush(30)
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in client.delete_records([TopicPartition(purchases, 0, 100)]).values():
        done.result(30)
    asked = {
        PartitionId(purchases, 0): [2_999, 5, 99, 100, 3_000, 9_000],
        PartitionId(purchases, 1): [0],
        PartitionId(views, 3): {7: b"", 2_000: b""},  # the second cannot be decoded
        PartitionId(views, 0): [],
    }
    options = EngineOptions(f"{prefix}-app", broker.bootstrap, (purchases, views), f"{prefix}.rows")

    found = list(keys_at(options, ToyCodec(), asked))

    assert sorted(found) == [
        (PartitionId(purchases, 0), 100, b"key100"),
        (PartitionId(purchases, 0), 2_999, b"key2999"),
        (PartitionId(views, 3), 7, b"key7"),
    ]


def test_nothing_asked_is_nothing_read(broker: Broker, prefix: str) -> None:
    options = EngineOptions(f"{prefix}-app", broker.bootstrap, ("a",), "rows")

    assert list(keys_at(options, ToyCodec(), {})) == []
