"""A batch in a topic that librdkafka reads holds too much: the start says where, or does without it."""

import threading

import msgspec
import pytest
from confluent_kafka import Producer

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.start.spot_check import keys_at
from stream.engine.state.recovery import recover
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from tests.support.bombs import put_bomb
from tests.support.kafka_broker import Broker, create_topics
from tests.support.toy_app import Event, ToyCodec

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def options(broker: Broker, prefix: str) -> EngineOptions:
    create_topics(broker.bootstrap, [f"{prefix}.events", f"{prefix}.rows"], 1)
    return EngineOptions(f"{prefix}-app", broker.bootstrap, (f"{prefix}.events",), f"{prefix}.rows")


def test_a_changelog_with_such_a_batch_stops_the_worker_with_its_place(broker: Broker, prefix: str) -> None:
    """Only workers may write there: nothing of it may be left out."""
    made = options(broker, prefix)
    put_bomb(broker.bootstrap, made.changelog, "zstd")

    with pytest.raises(EngineError, match=rf"{made.changelog}/0 at offset 0 cannot be read") as failure:
        recover(made, {0: Table(ToyCodec(), MemoryStore(), 10)}, threading.Event())

    assert failure.value.code == Exit.DATA_LOSS


def test_a_spot_check_passes_by_such_batches(broker: Broker, prefix: str) -> None:
    made = options(broker, prefix)
    (events,) = made.inputs
    client = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    client.produce(events, msgspec.json.encode(Event("a", 1)), b"a", 0)
    client.flush(30)
    put_bomb(broker.bootstrap, events, "zstd")
    place = PartitionId(events, 0)

    assert list(keys_at(made, ToyCodec(), {place: [0, 1]})) == [(place, 0, b"a")]
