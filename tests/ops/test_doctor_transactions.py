"""`stream doctor` finds transactions of producers that stay open. On a real Kafka."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream.ops.doctor import group
from tests.support.kafka_shop import KafkaShop
from tests.support.transactions import TransactionalProducer

pytestmark = pytest.mark.kafka


def found_by_doctor(shop: KafkaShop, check: str) -> dict[str, str]:
    """What a check of the doctor says."""
    _, report = shop.run_json("doctor")
    finding: dict[str, str]
    (finding,) = [each for each in report["findings"] if each["check"] == check]
    return finding


def commit_offset(shop: KafkaShop, topic: str, offset: int) -> None:
    """Of partition 0, as a member of the workers' group that has left."""
    consumer = Consumer({"bootstrap.servers": shop.bootstrap, "group.id": shop.settings.app_id})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def test_a_transaction_that_stays_open_is_a_fault_with_its_producer_and_how_to_end_it(shop, monkeypatch):
    name = f"{shop.settings.app_id}-hanging"
    monkeypatch.setattr(group, "TRANSACTION_S", 0)
    with TransactionalProducer(shop.bootstrap, name) as hanging:
        hanging.begin()
        hanging.send(shop.names.purchases, "cust-1", b"{}")

        fault, lag = found_by_doctor(shop, "transactions"), found_by_doctor(shop, "lag")

    assert fault["level"] == "fault"
    assert f"{shop.names.purchases}/0: " in fault["found"]
    assert f"(transactional id {name})" in fault["found"]
    assert f"abort --topic {shop.names.purchases} --partition 0 --start-offset 0" in fault["remedy"]
    assert (lag["level"], lag["found"]) == ("ok", "0 events are waiting")


def test_a_transaction_of_some_seconds_is_no_fault(shop):
    with TransactionalProducer(shop.bootstrap, f"{shop.settings.app_id}-busy") as busy:
        busy.begin()
        busy.send(shop.names.purchases, "cust-1", b"{}")

        assert found_by_doctor(shop, "transactions")["level"] == "ok"


def test_an_offset_behind_the_beginning_of_a_transaction_is_not_taken_for_one_of_another_topic(shop):
    """An older version has read uncommitted records; its offset is in the log all the same."""
    with TransactionalProducer(shop.bootstrap, f"{shop.settings.app_id}-busy") as busy:
        busy.begin()
        busy.send(shop.names.purchases, "cust-1", b"{}")
        commit_offset(shop, shop.names.purchases, 1)

        assert found_by_doctor(shop, "lag")["level"] == "ok"
