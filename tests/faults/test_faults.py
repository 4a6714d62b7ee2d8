"""Two workers on a real Kafka, and the faults T1 to T7 and T14; verifier.py then checks every topic.

This is the short set, part of `make test`. `make soak` goes on for an hour (soak.py).
"""

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from stream.engine.failure import Exit
from tests.faults.chaos import FAULTS, Run, chaos
from tests.faults.workers import PARTITIONS
from tests.faults.workload import Shop
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
BOTH = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
QUICK: dict[str, Any] = {"session_timeout_s": 4.0}
HALT_S = 7
"""The fault itself: more than a third of a transaction's time-out, after which it is done again."""


@pytest.mark.parametrize(("guarantee", "poison"), [("at_least_once", 0.01), ("exactly_once", 0.5)])
def test_workers_that_are_killed_frozen_stopped_and_lose_their_disks_lose_no_input(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str, poison: float
) -> None:
    """T1 to T7, and T9: half of the input may be undecodable; each such record leaves a dead letter (I10)."""
    with Run(broker, prefix, tmp_path, guarantee=guarantee, **QUICK) as run:
        feeding = run.feed(Shop(prefix, 1, poison=poison), seconds=12)
        chaos(run, random.Random(1), seconds=10, names=tuple(FAULTS), pauses=(0.2, 1.5))
        feeding.join()
        assert run.finish() == []
        assert run.crashes > 0


@BOTH
def test_a_broker_that_is_killed_and_halted_costs_a_pause_and_no_worker(
    own_broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """T4: while input is read. Sessions have their default length; transactions give up during the halt."""
    how: dict[str, Any] = {"guarantee": guarantee, "session_timeout_s": 30.0, "transaction_timeout_s": 15.0}
    with Run(own_broker, prefix, tmp_path, **how) as run:
        before = {name: worker.process.pid for name, worker in run.workers.items()}
        feeding = run.feed(Shop(prefix, 4), seconds=12)
        run.until_committed()
        own_broker.kill()
        own_broker.start()
        run.until_committed()
        own_broker.pause()
        time.sleep(HALT_S)
        own_broker.resume()
        feeding.join()

        assert run.finish() == []
        assert {name: worker.process.pid for name, worker in run.workers.items()} == before


@pytest.mark.parametrize(
    ("guarantee", "seconds"), [("at_least_once", 9), ("exactly_once", 9), ("at_least_once", 0)]
)
def test_a_worker_frozen_beyond_its_session_wakes_up_fenced(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str, seconds: int
) -> None:
    """T6: while it has input; and with nothing to write when it wakes up (once that let it go on)."""
    with Run(broker, prefix, tmp_path, guarantee=guarantee, **QUICK) as run:
        feeding = run.feed(Shop(prefix, 6), seconds)
        if seconds:
            run.until_committed()
        frozen = run.workers["one"]
        frozen.send(signal.SIGSTOP)
        run.zombies += 1
        run.workers["two"].wait_until_owner(PARTITIONS)
        frozen.send(signal.SIGCONT)

        assert frozen.process.wait(20) == Exit.FENCED
        feeding.join()
        assert run.finish() == []


def test_a_store_that_a_kill_left_is_not_trusted_when_its_partitions_move(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """T3: SIGKILL, start on the same disk, SIGKILL; then the other worker gets the partitions."""
    with Run(broker, prefix, tmp_path, **QUICK) as run:
        feeding = run.feed(Shop(prefix, 3), seconds=15)
        run.until_committed()
        run.workers["one"].kill()
        run.start("one").wait_until_open()
        run.until_committed()
        run.workers["one"].kill()
        run.workers.pop("one")
        run.workers["two"].wait_until_owner(PARTITIONS)
        feeding.join()
        assert run.finish() == []


@pytest.mark.parametrize(("guarantee", "static"), [("at_least_once", True), ("exactly_once", False)])
def test_workers_are_restarted_one_after_the_other(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str, static: bool
) -> None:
    """T7 and T14: with static membership, and without."""
    with Run(broker, prefix, tmp_path, guarantee=guarantee, **QUICK) as run:
        feeding = run.feed(Shop(prefix, 7), seconds=10)
        for name in ("one", "two", "one"):
            assert run.workers[name].stop() == 0
            more = {"faust": {"consumer_group_instance_id": name}} if static else {}
            run.start(name, **more).wait_until_open()
        feeding.join()
        assert run.finish() == []


def test_a_worker_can_be_stopped_while_the_broker_is_away(
    own_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with Run(own_broker, prefix, tmp_path, delivery_timeout_s=5.0, stop_timeout_s=8.0) as run:
        run.feed(Shop(prefix, 14), seconds=3).join()
        own_broker.kill()
        for worker in run.workers.values():
            worker.process.terminate()
        for worker in run.workers.values():
            assert worker.process.wait(60) is not None
        own_broker.start()

        assert run.finish() == []
