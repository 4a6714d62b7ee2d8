"""T11: inputs that are deleted, or made anew under their old names, are not taken for what was read."""

import re
import signal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.engine.failure import Exit
from stream.engine.options import GUARANTEES
from tests.faults.losses import caught_up, delete_topics, inputs_of, make_anew
from tests.faults.verifier import violations
from tests.faults.workers import PARTITIONS, Progress, ToyWorker
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_input_that_was_made_anew_while_the_worker_was_down_is_not_taken_for_what_was_read(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: Kafka forgets the offsets of a topic with it; rows remember them, and would pass new events by."""
    shop = Shop(prefix, 23)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    make_anew(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert re.search(rf"{prefix}\.engagement/\d was made anew", again.last_words())


def test_input_that_was_made_anew_and_whose_offsets_were_set_back_stops_the_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: no offset of the group tells any more what was read; the rows still do."""
    shop = Shop(prefix, 24)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    for done in client.delete_consumer_groups([f"{prefix}-app"]).values():
        done.result(60)
    make_anew(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "made anew or cut" in again.last_words()


def test_input_made_anew_under_a_running_worker_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: whatever it sees first, that the topic is gone or that it ends too early."""
    shop = Shop(prefix, 26)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0)
    worker.send(signal.SIGSTOP)
    make_anew(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(500))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) in {Exit.DATA_LOSS, Exit.CONFIGURATION}


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_inputs_that_were_all_made_anew_and_grew_beyond_the_old_ones_stop_the_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: Kafka has forgotten every offset, and no end is too early; the rows name records of other keys."""
    shop = Shop(prefix, 31)
    assert caught_up(broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    make_anew(client, broker.bootstrap, *inputs_of(prefix))
    produce(broker.bootstrap, shop.inputs(10_000))

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "holds another key's record" in again.last_words()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_group_whose_offsets_were_deleted_goes_on_by_its_rows(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: the inputs are those that the rows know. What comes next counts, and what was counts once."""
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
def test_input_made_anew_and_refilled_faster_than_a_running_worker_looks_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T11: what it asks for next is there, in the middle of another log."""
    shop = Shop(prefix, 33)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0, guarantee=guarantee)
    worker.send(signal.SIGSTOP)
    make_anew(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(10_000))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) == Exit.DATA_LOSS
    assert f"{prefix}.engagement was made anew" in worker.last_words()


def test_an_offset_of_the_old_topic_that_was_committed_for_the_new_one_stops_the_next_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: a worker read on in the new log, committed, and died before it looked."""
    shop = Shop(prefix, 34)
    assert caught_up(broker, shop, tmp_path).stop() == 0
    group = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": f"{prefix}-app"})
    topic = f"{prefix}.engagement"
    marks = group.committed([TopicPartition(topic, number) for number in range(PARTITIONS)], 30)
    make_anew(client, broker.bootstrap, topic)
    produce(broker.bootstrap, shop.inputs(10_000))
    group.commit(offsets=marks, asynchronous=False)
    group.close()

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert f"{topic} was made anew" in again.last_words()


def test_inputs_that_are_deleted_under_a_running_worker_stop_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: none is made anew, and the group shares out nothing."""
    worker = caught_up(broker, Shop(prefix, 35), tmp_path)
    delete_topics(client, *inputs_of(prefix))

    assert worker.process.wait(90) == Exit.DATA_LOSS
    assert "was deleted" in worker.last_words()
