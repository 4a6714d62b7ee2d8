"""Two workers on a real Kafka, hurt in every way of the list T1 to T16; an independent program reckons after.

They run with `make soak` (SOAK_ROUNDS, default 40): the set was not yet seen green in one run.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.engine.failure import Exit
from tests.faults.chaos import FAULTS, Run, chaos
from tests.faults.workers import PARTITIONS, Progress, ToyWorker
from tests.faults.workload import Shop, produce
from tests.kafka_broker import Broker, create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.soak, pytest.mark.timeout(420)]
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "40"))
BOTH = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
WITHOUT_ZOMBIES = tuple(name for name in FAULTS if name != "freeze")


def faults_of(guarantee: str) -> tuple[str, ...]:
    """Only transactions fence a zombie for certain (docs/decisions/0001)."""
    return tuple(FAULTS) if guarantee == "exactly_once" else WITHOUT_ZOMBIES


def delete_all(bootstrap: str, topic: str) -> None:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "deleter"})
    ends = [
        TopicPartition(topic, number, reader.get_watermark_offsets(TopicPartition(topic, number), 30)[1])
        for number in range(PARTITIONS)
    ]
    reader.close()
    client = AdminClient({"bootstrap.servers": bootstrap})  # its answers come only as long as it lives
    for done in client.delete_records(ends).values():
        done.result(60)


def run_of_chaos(broker: Broker, prefix: str, directory: Path, guarantee: str, seed: int) -> list[str]:
    with Run(broker, prefix, directory, guarantee=guarantee) as run:
        feeding = run.feed(Shop(prefix, seed, poison=0.01), seconds=30)
        chaos(run, random.Random(seed), seconds=28, names=faults_of(guarantee))
        feeding.join()
        return run.finish()


@BOTH
def test_workers_that_are_killed_stopped_crowded_and_robbed_of_their_disks_lose_nothing(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    assert run_of_chaos(broker, prefix, tmp_path, guarantee, seed=1) == []


@pytest.mark.soak
@pytest.mark.timeout(1_000)
@BOTH
@pytest.mark.parametrize("seed", range(100, 100 + ROUNDS))
def test_chaos_round(broker: Broker, prefix: str, tmp_path: Path, guarantee: str, seed: int) -> None:
    assert run_of_chaos(broker, prefix, tmp_path, guarantee, seed) == []


@BOTH
def test_a_broker_that_dies_comes_back_and_halts_loses_nothing(
    own_broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    with Run(own_broker, prefix, tmp_path, guarantee=guarantee, transaction_timeout_s=10.0) as run:
        shop = Shop(prefix, 4)
        run.feed(shop, seconds=4).join()
        own_broker.kill()
        time.sleep(3)
        own_broker.start()
        run.feed(shop, seconds=4).join()
        own_broker.pause()
        time.sleep(10)
        own_broker.resume()
        run.feed(shop, seconds=4).join()
        assert run.finish() == []


def test_a_worker_frozen_beyond_its_session_wakes_up_fenced(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with Run(broker, prefix, tmp_path, guarantee="exactly_once") as run:
        feeding = run.feed(Shop(prefix, 6), seconds=20)
        time.sleep(2)
        frozen = run.workers["one"]
        frozen.send(signal.SIGSTOP)
        time.sleep(12)
        frozen.send(signal.SIGCONT)

        assert frozen.process.wait(20) == Exit.FENCED
        feeding.join()
        assert run.finish() == []


def test_rows_that_the_broker_refuses_stop_the_worker_before_it_commits(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    create_topics(broker.bootstrap, [f"{prefix}.{name}" for name in ("purchases", "engagement", "feedback")])
    create_topics(broker.bootstrap, [f"{prefix}.alerts", f"{prefix}.deadletter"])
    create_topics(broker.bootstrap, [f"{prefix}.rows"], config={"max.message.bytes": "100"})
    produce(broker.bootstrap, Shop(prefix, 12).inputs(2_000))

    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert worker.process.wait(60) == Exit.PRODUCER
    assert (
        "not committed" in worker.last_words() or "nothing of this flush is committed" in worker.last_words()
    )
    assert Progress(broker.bootstrap, prefix).committed() == 0


def test_input_that_was_deleted_unread_stops_the_worker(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with Run(broker, prefix, tmp_path) as run:
        shop = Shop(prefix, 11)
        run.feed(shop, seconds=2).join()
        assert run.finish() == []
        produce(broker.bootstrap, shop.inputs(4_000))
        delete_all(broker.bootstrap, f"{prefix}.engagement")

        worker = run.start("late")

        assert worker.process.wait(60) == Exit.DATA_LOSS
        assert "deleted unread" in worker.last_words()


def test_a_worker_can_be_stopped_while_the_broker_is_away(
    own_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with Run(own_broker, prefix, tmp_path, delivery_timeout_s=5.0) as run:
        shop = Shop(prefix, 14)
        run.feed(shop, seconds=3).join()
        own_broker.kill()
        produced_before = run.count
        for worker in run.workers.values():
            worker.process.terminate()
        for worker in run.workers.values():
            assert worker.process.wait(60) is not None
        own_broker.start()

        assert run.count == produced_before
        assert run.finish() == []
