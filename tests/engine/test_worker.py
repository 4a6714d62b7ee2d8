"""The engine on a real Kafka: end to end, killed and started again, and with a second worker."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.verifier import violations
from tests.faults.workers import ROOT, Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


KNOWN = {"consumer_group_instance_id": "worker-0"}
GUARANTEES = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])


def wrong(broker: Broker, prefix: str, guarantee: str = "at_least_once") -> list[str]:
    return violations(broker.bootstrap, prefix, f"{prefix}-app", exactly_once=guarantee == "exactly_once")


def test_every_event_is_in_its_row_and_every_alert_is_out(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    make_topics(broker.bootstrap, prefix)
    count = produce(broker.bootstrap, Shop(prefix, seed=1).inputs(20_000))
    progress = Progress(broker.bootstrap, prefix)

    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")
    progress.wait_for(count)

    assert worker.stop() == 0
    assert wrong(broker, prefix) == []
    assert list(ROOT.glob(f"{prefix}*")) == [], "the worker's working directory"


@GUARANTEES
def test_a_worker_that_is_killed_again_and_again_loses_nothing(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    make_topics(broker.bootstrap, prefix)
    # Static membership: the group need not wait for the session to end (tests/faults does without).
    how: dict[str, Any] = {"guarantee": guarantee, "store": str(tmp_path / "rows"), "faust": KNOWN}
    progress = Progress(broker.bootstrap, prefix)
    shop, count = Shop(prefix, seed=2), 0
    for _ in range(3):
        count += produce(broker.bootstrap, shop.inputs(15_000))
        worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", flush_interval_s=0.02, **how)
        progress.wait_for(count - 12_000)
        worker.kill()
    count += produce(broker.bootstrap, shop.inputs(5_000))
    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", **how)
    progress.wait_for(count)

    assert worker.stop() == 0
    assert wrong(broker, prefix, guarantee) == []


@GUARANTEES
def test_an_older_copy_of_a_store_under_the_seal_of_a_later_run_is_rebuilt(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """Taken for the later one, its rows would lack what the offsets say they have."""
    pytest.importorskip("rocksdict")
    make_topics(broker.bootstrap, prefix)
    place, progress, shop = tmp_path / "rows", Progress(broker.bootstrap, prefix), Shop(prefix, seed=4)
    count = 0
    for run in range(3):
        count += produce(broker.bootstrap, shop.inputs(3_000))
        worker = ToyWorker(
            broker.bootstrap, prefix, tmp_path / f"log{run}", guarantee=guarantee, store=str(place)
        )
        progress.wait_for(count)
        assert worker.stop() == 0
        if run == 0:
            shutil.copytree(place, tmp_path / "older")
        if run == 1:
            for partition in place.iterdir():
                shutil.rmtree(partition / "rows")
                shutil.copytree(tmp_path / "older" / partition.name / "rows", partition / "rows")

    assert wrong(broker, prefix, guarantee) == []
    assert len(worker.lines_with("is rebuilt from the changelog: its files are not those of its seal")) == 4


@GUARANTEES
def test_partitions_move_to_a_second_worker_and_back(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    make_topics(broker.bootstrap, prefix)
    progress = Progress(broker.bootstrap, prefix)
    shop = Shop(prefix, seed=3)
    first = ToyWorker(broker.bootstrap, prefix, tmp_path / "first", guarantee=guarantee)
    count = produce(broker.bootstrap, shop.inputs(10_000))
    progress.wait_for(count)

    second = ToyWorker(broker.bootstrap, prefix, tmp_path / "second", guarantee=guarantee)
    second.wait_until_open()
    count += produce(broker.bootstrap, shop.inputs(20_000))
    progress.wait_for(count)
    assert second.stop() == 0
    first.wait_until_open(times=2)
    count += produce(broker.bootstrap, shop.inputs(10_000))
    progress.wait_for(count)

    assert first.stop() == 0
    assert wrong(broker, prefix, guarantee) == []
