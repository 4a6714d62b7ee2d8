"""T10 to T12: the broker refuses, topics are cut or made anew, disks are full: the worker stops."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from stream.engine.failure import Exit
from stream.engine.options import GUARANTEES
from tests.faults.chaos import Run
from tests.faults.losses import caught_up, delete_all, inputs_of, make_anew
from tests.faults.verifier import expected, violations
from tests.faults.workers import Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker, create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_rows_that_the_broker_refuses_stop_the_worker_before_it_commits(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T12 and I7. At once, as it is refused at every attempt, and with the reason last."""
    create_topics(broker.bootstrap, inputs_of(prefix))
    create_topics(broker.bootstrap, [f"{prefix}.alerts", f"{prefix}.deadletter"])
    create_topics(broker.bootstrap, [f"{prefix}.rows"], config={"max.message.bytes": "150"})
    produce(broker.bootstrap, Shop(prefix, 12).inputs(2_000))

    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)

    assert worker.process.wait(40) == Exit.PRODUCER
    assert "nothing of this flush is committed: Broker: Message size too large" in worker.last_words()
    progress = Progress(broker.bootstrap, prefix)
    progress.wait_for(0)  # the broker has aborted what was left open
    assert progress.committed() == 0


def test_input_that_was_deleted_unread_stops_the_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: the input."""
    with Run(broker, prefix, tmp_path) as run:
        shop = Shop(prefix, 11)
        run.feed(shop, seconds=2).join()
        assert run.finish() == []
        produce(broker.bootstrap, shop.inputs(4_000))
        delete_all(client, broker.bootstrap, f"{prefix}.engagement")

        worker = run.start("late")

        assert worker.process.wait(60) == Exit.DATA_LOSS
        assert "deleted unread" in worker.last_words()


def test_input_that_is_deleted_under_a_worker_that_was_behind_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: the next record that it asks for is not there any more."""
    shop = Shop(prefix, 25)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0)
    worker.send(signal.SIGSTOP)
    produce(broker.bootstrap, shop.inputs(2_000))
    delete_all(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(2_000))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) == Exit.DATA_LOSS
    assert "deleted before they were read" in worker.last_words()


def test_a_changelog_made_anew_under_a_running_worker_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: the changelog, while rows are written to it."""
    make_topics(broker.bootstrap, prefix)
    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")
    count = produce(broker.bootstrap, Shop(prefix, 21).inputs(5_000))
    Progress(broker.bootstrap, prefix).wait_for(count)
    make_anew(client, broker.bootstrap, f"{prefix}.rows")

    assert worker.process.wait(60) in {Exit.DATA_LOSS, Exit.PRODUCER}


@pytest.mark.parametrize(
    ("guarantee", "on_disk"), [("at_least_once", True), ("at_least_once", False), ("exactly_once", False)]
)
def test_a_changelog_made_anew_while_the_worker_was_down_is_not_taken_for_an_empty_one(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str, on_disk: bool
) -> None:
    """T11: the changelog; a store on disk knows better, and what was committed."""
    how: dict[str, Any] = {"guarantee": guarantee, **({"store": str(tmp_path / "rows")} if on_disk else {})}
    assert caught_up(broker, Shop(prefix, 22), tmp_path, **how).stop() == 0
    make_anew(client, broker.bootstrap, f"{prefix}.rows")

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", **how)

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "made anew or cut" in again.last_words()


def test_a_changelog_whose_beginning_was_deleted_is_not_taken_for_all_of_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: `kafka-delete-records`, or a time limit. Without a store only the log knows the rows."""
    assert caught_up(broker, Shop(prefix, 27), tmp_path).stop() == 0
    delete_all(client, broker.bootstrap, f"{prefix}.rows")

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "the topic was cut" in again.last_words()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_full_disk_stops_the_worker_and_nothing_is_lost_when_there_is_room_again(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T10: no file may grow beyond some kilobytes (RLIMIT_FSIZE); RocksDB fails to write its own."""
    with Run(broker, prefix, tmp_path, guarantee=guarantee, session_timeout_s=4.0) as run:
        run.workers.pop("two").kill()
        run.feed(Shop(prefix, 10), seconds=3).join()
        run.workers.pop("one").kill()
        full = run.start("one", file_bytes_max=2_048)
        status = full.process.wait(60)

        assert status not in {0, -signal.SIGKILL}
        run.start("one")
        run.start("two")
        assert run.finish() == []


def test_rows_of_a_transaction_that_came_to_nothing_are_none_for_the_other_guarantee(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """A worker died `exactly_once`, and goes on `at_least_once`: its rows' events come again, and count."""
    shop = Shop(prefix, 28)
    worker = caught_up(broker, shop, tmp_path, guarantee="exactly_once")
    assert worker.stop() == 0
    count = 5_000 + produce(broker.bootstrap, shop.inputs(500))
    wanted = expected(broker.bootstrap, prefix).rows
    dying = Producer(
        {
            "bootstrap.servers": broker.bootstrap,
            "transactional.id": "somebody",
            "transaction.timeout.ms": 3_000,
            "partitioner": "murmur2_random",
        }
    )
    dying.init_transactions(30)
    dying.begin_transaction()
    for key, row in wanted.items():
        dying.produce(f"{prefix}.rows", json.dumps({"key": key, **row}).encode(), key)
    assert dying.flush(30) == 0

    ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee="at_least_once")
    Progress(broker.bootstrap, prefix).wait_for(count)

    assert violations(broker.bootstrap, prefix, f"{prefix}-app") == []
