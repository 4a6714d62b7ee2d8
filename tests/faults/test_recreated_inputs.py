"""T11: inputs that are deleted and created again under their old names are not taken for the old ones."""

import re
import signal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.engine.failure import Exit
from stream.engine.options import GUARANTEES
from tests.faults.losses import caught_up, delete_topics, inputs_of, recreate
from tests.faults.verifier import violations
from tests.faults.workers import PARTITIONS, Progress, ToyWorker
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_an_input_that_was_recreated_while_no_worker_ran_stops_the_next_one(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: Kafka forgets the offsets with the topic. Rows remember them, and would ignore new events."""
    shop = Shop(prefix, 23)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    recreate(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert re.search(rf"{prefix}\.engagement/\d was created again", again.last_log_lines())


def test_a_recreated_input_stops_the_worker_also_when_the_group_was_deleted(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: no offset of the group says what was read; only the rows do."""
    shop = Shop(prefix, 24)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    for done in client.delete_consumer_groups([f"{prefix}-app"]).values():
        done.result(60)
    recreate(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "created again or cut" in again.last_log_lines()


def test_an_input_that_is_recreated_under_a_running_worker_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: whatever it notices first: that the topic is gone, or that it ends too early."""
    shop = Shop(prefix, 26)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0)
    worker.send(signal.SIGSTOP)
    recreate(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) in {Exit.DATA_LOSS, Exit.CONFIGURATION}


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_inputs_that_were_all_recreated_and_are_longer_than_the_old_ones_stop_the_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: all offsets are forgotten, and no topic is too short; but the records have other keys."""
    shop = Shop(prefix, 31)
    assert caught_up(broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    recreate(client, broker.bootstrap, *inputs_of(prefix))
    produce(broker.bootstrap, shop.inputs(10_000))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "holds another key's record" in again.last_log_lines()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_worker_whose_group_was_deleted_goes_on_by_its_rows(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: the inputs are those that the rows know. Old events count once, and new ones count."""
    shop = Shop(prefix, 32)
    assert caught_up(broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    for done in client.delete_consumer_groups([f"{prefix}-app"]).values():
        done.result(60)
    count = 5_000 + produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)
    Progress(broker.bootstrap, prefix).wait_for(count)

    assert again.stop() == 0
    assert violations(broker.bootstrap, prefix, f"{prefix}-app") == []


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_an_input_that_is_recreated_and_refilled_before_a_running_worker_looks_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: its next offset exists, in the middle of another log."""
    shop = Shop(prefix, 33)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0, guarantee=guarantee)
    worker.send(signal.SIGSTOP)
    recreate(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(10_000))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) == Exit.DATA_LOSS
    assert f"{prefix}.engagement was created again" in worker.last_log_lines()


def test_an_offset_of_the_old_topic_committed_for_the_new_one_stops_the_next_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: as if a worker had read on in the new log, committed, and died before it looked."""
    shop = Shop(prefix, 34)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    group = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": f"{prefix}-app"})
    topic = f"{prefix}.engagement"
    marks = group.committed([TopicPartition(topic, number) for number in range(PARTITIONS)], 30)
    recreate(client, broker.bootstrap, topic)
    produce(broker.bootstrap, shop.inputs(10_000))
    group.commit(offsets=marks, asynchronous=False)
    group.close()

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert f"{topic} was created again" in again.last_log_lines()


def test_inputs_that_are_deleted_under_a_running_worker_stop_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: none is created again, and the group assigns nothing to anybody."""
    worker = caught_up(broker, Shop(prefix, 35), tmp_path)
    delete_topics(client, *inputs_of(prefix))

    assert worker.process.wait(90) == Exit.DATA_LOSS
    assert "was deleted" in worker.last_log_lines()
