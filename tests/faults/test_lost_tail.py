"""T11: the end of an input is lost and written again under the same offsets; the topic is the same one."""

from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from stream.engine.failure import Exit
from stream.engine.options import GUARANTEES
from tests.faults.losses import caught_up, cut_last_batch, delete_all, inputs_of, next_offset
from tests.faults.workers import Progress, ToyWorker
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker, JarBroker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def grow(bootstrap: str, shop: Shop, topic: str, beyond: int) -> None:
    """Produce until the first partition of the topic ends behind this offset."""
    while (next_offset(bootstrap, topic) or 0) <= beyond:
        produce(bootstrap, shop.inputs(500))


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_an_input_whose_lost_end_was_written_again_stops_every_start(
    own_broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: no offset is missing, the id is the old one, and the group has its offsets."""
    if not isinstance(own_broker, JarBroker):
        pytest.skip("this test cuts a file of the broker, and needs it as a process (STREAM_TEST_BROKER=jar)")
    shop, topic = Shop(prefix, 41), f"{prefix}.engagement"
    assert caught_up(own_broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    end = cut_last_batch(own_broker, topic, 0)
    grow(own_broker.bootstrap, shop, topic, end)

    for _ in range(2):
        again = ToyWorker(own_broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)

        assert again.process.wait(60) == Exit.DATA_LOSS
        assert f"{topic}/0 holds another record at {end - 1}" in again.last_log_lines()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_retention_may_take_the_record_that_was_read_last(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: that proves nothing, and the next events count."""
    shop = Shop(prefix, 42)
    assert caught_up(broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    delete_all(client, broker.bootstrap, f"{prefix}.engagement")
    delete_all(client, broker.bootstrap, f"{prefix}.purchases")
    count = 5_000 + produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)
    Progress(broker.bootstrap, prefix).wait_for(count)

    assert again.stop() == 0


def test_inputs_that_end_with_markers_of_transactions_are_found_as_they_were(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """T11: the offset before the committed one is a marker or an aborted record, not what was read last."""
    shop = Shop(prefix, 43)
    worker = caught_up(broker, shop, tmp_path)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": f"{prefix}-shop"})
    producer.init_transactions(30)
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        for topic in inputs_of(prefix):
            for partition in range(4):
                producer.produce(topic, b"poison", f"key{partition}", partition)
        producer.flush(30)
        end(30)
    count = 5_000 + 12 * 2 * 2 + produce(broker.bootstrap, shop.inputs(100))  # markers occupy offsets, too
    Progress(broker.bootstrap, prefix).wait_for(count)
    assert worker.stop() == 0
    count += produce(broker.bootstrap, shop.inputs(100))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")
    Progress(broker.bootstrap, prefix).wait_for(count)

    assert again.stop() == 0
