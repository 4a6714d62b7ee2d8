"""T10 to T12: the broker refuses rows, records are deleted, topics are recreated, disks are full."""

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
from tests.faults.losses import caught_up, delete_all, inputs_of, recreate
from tests.faults.verifier import expected, violations
from tests.faults.workers import Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker, create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_rows_that_the_broker_refuses_stop_the_worker_before_it_commits(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T12, I7: at once, as another attempt would be refused as well; the reason is the last line."""
    create_topics(broker.bootstrap, inputs_of(prefix))
    create_topics(broker.bootstrap, [f"{prefix}.alerts", f"{prefix}.deadletter"])
    create_topics(broker.bootstrap, [f"{prefix}.rows"], config={"max.message.bytes": "150"})
    produce(broker.bootstrap, Shop(prefix, 12).inputs(2_000))

    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)

    assert worker.process.wait(40) == Exit.PRODUCER
    assert "nothing of this flush is committed: Broker: Message size too large" in worker.last_log_lines()
    progress = Progress(broker.bootstrap, prefix)
    progress.wait_for(0)  # an answer: the broker has aborted the open transaction
    assert progress.committed() == 0


def test_input_that_was_deleted_unread_stops_the_worker(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: an input, while no worker ran."""
    with Run(broker, prefix, tmp_path) as run:
        shop = Shop(prefix, 11)
        run.feed(shop, seconds=2).join()
        assert run.finish() == []
        produce(broker.bootstrap, shop.inputs(4_000))
        delete_all(client, broker.bootstrap, f"{prefix}.engagement")

        worker = run.start("late")

        assert worker.process.wait(60) == Exit.DATA_LOSS
        assert "deleted before they were read" in worker.last_log_lines()


def test_input_that_is_deleted_under_a_worker_that_was_behind_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: the next record that it asks for is gone."""
    shop = Shop(prefix, 25)
    worker = caught_up(broker, shop, tmp_path, session_timeout_s=20.0)
    worker.send(signal.SIGSTOP)
    produce(broker.bootstrap, shop.inputs(2_000))
    delete_all(client, broker.bootstrap, f"{prefix}.engagement")
    produce(broker.bootstrap, shop.inputs(2_000))
    worker.send(signal.SIGCONT)

    assert worker.process.wait(60) == Exit.DATA_LOSS
    assert "deleted before they were read" in worker.last_log_lines()


def test_a_changelog_that_is_recreated_under_a_running_worker_stops_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: the changelog, while rows are written to it."""
    make_topics(broker.bootstrap, prefix)
    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")
    count = produce(broker.bootstrap, Shop(prefix, 21).inputs(5_000))
    Progress(broker.bootstrap, prefix).wait_for(count)
    recreate(client, broker.bootstrap, f"{prefix}.rows")

    assert worker.process.wait(60) in {Exit.DATA_LOSS, Exit.PRODUCER}


@pytest.mark.parametrize(
    ("guarantee", "on_disk"), [("at_least_once", True), ("at_least_once", False), ("exactly_once", False)]
)
def test_a_changelog_that_was_recreated_while_no_worker_ran_is_not_taken_for_an_empty_one(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path, guarantee: str, on_disk: bool
) -> None:
    """T11: a store on disk knows how long it was, and so does the metadata of the commit."""
    how: dict[str, Any] = {"guarantee": guarantee, **({"store": str(tmp_path / "rows")} if on_disk else {})}
    assert caught_up(broker, Shop(prefix, 22), tmp_path, **how).stop() == 0
    recreate(client, broker.bootstrap, f"{prefix}.rows")

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", **how)

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "created again or cut" in again.last_log_lines()


def test_a_changelog_whose_beginning_was_deleted_is_not_taken_for_all_of_it(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: by `kafka-delete-records`, or by retention. Without a store the rows are nowhere else."""
    assert caught_up(broker, Shop(prefix, 27), tmp_path).stop() == 0
    delete_all(client, broker.bootstrap, f"{prefix}.rows")

    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")

    assert again.process.wait(60) == Exit.DATA_LOSS
    assert "the topic was cut" in again.last_log_lines()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_full_disk_stops_the_worker_and_nothing_is_lost_when_there_is_room_again(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T10: no file may be larger than 2 kB (RLIMIT_FSIZE), so that RocksDB cannot write."""
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


def test_rows_of_an_aborted_transaction_do_not_count_under_the_other_guarantee(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """A worker died with exactly once, the next has at least once: the events of those rows come again."""
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
