"""T5, T8, T9, T13 and T15: many rebalances, disordered input, too much of it, and a bad network."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.engine.failure import Exit
from tests.faults.chaos import FAULTS, Run, chaos
from tests.faults.hardships import burst, slow_line, storm
from tests.faults.proxy import ProxiedBroker
from tests.faults.verifier import read_all
from tests.faults.watch import Watch
from tests.faults.workers import PARTITIONS, Progress, ToyWorker, make_topics
from tests.faults.workload import Input, Shop, produce
from tests.support.kafka_broker import Broker
from tests.support.kafka_jars import NoBrokerError
from tests.support.required import give_up
from tests.support.toy_app import HOUR_MS, Event

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
RSS_GROWTH_MIB = 150


@pytest.fixture(scope="module")
def proxied() -> Iterator[ProxiedBroker]:
    try:
        broker = ProxiedBroker()
    except NoBrokerError as reason:
        give_up("kafka", str(reason))
    broker.start()
    yield broker
    broker.close()


def disordered(prefix: str, seed: int, count: int) -> list[Input]:
    """Hours late, from the future, out of order, and a tenth of it twice."""
    chance = random.Random(seed)
    given: list[Input] = []
    for number in range(count):
        at_ms = 1_300_000_000_000 + number * 60_000
        shift_ms = chance.choice((0, 0, 0, -chance.randrange(9 * HOUR_MS), chance.randrange(3 * HOUR_MS)))
        key = f"key-{chance.randrange(60)}"
        value = msgspec.json.encode(Event(key, at_ms + shift_ms, chance.randrange(1_000)))
        given.append(Input(f"{prefix}.{chance.choice(('purchases', 'engagement', 'feedback'))}", key, value))
        if chance.random() < 0.1:
            given.append(given[-1])
    return given


def facts(bootstrap: str, prefix: str) -> dict[bytes, dict[str, object]]:
    """The last row of each key, without its outbox and with topic names that are equal in both runs."""
    rows = {each.key(): each.value() for each in read_all(bootstrap, f"{prefix}.rows")}
    return {
        key: {
            name: {topic.removeprefix(prefix): offset for topic, offset in value.items()}
            if name == "applied"
            else value
            for name, value in json.loads(row).items()
            if not name.startswith("outbox")
        }
        for key, row in rows.items()
        if row is not None
    }


def alerts(bootstrap: str, prefix: str) -> set[bytes]:
    return {each.value() for each in read_all(bootstrap, f"{prefix}.alerts")}


def test_disordered_input_leads_to_the_same_with_faults_and_wrong_clocks_as_without(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """T8, I8: undisturbed, and with crashes of workers whose clocks are an hour ahead and behind."""
    calm, wild = f"{prefix}calm", f"{prefix}wild"
    for name in (calm, wild):
        make_topics(broker.bootstrap, name)
        count = produce(broker.bootstrap, iter(disordered(name, 8, 4_000)))
    worker = ToyWorker(broker.bootstrap, calm, tmp_path / "calm.log", guarantee="exactly_once")
    Progress(broker.bootstrap, calm).wait_for(count)
    assert worker.stop() == 0

    how: dict[str, Any] = {"session_timeout_s": 4.0, "max_poll_records": 300, "max_pending": 300}
    with Run(broker, wild, tmp_path, topics=False, clocks={"one": 3_600, "two": -3_600}, **how) as run:
        chaos(run, random.Random(8), seconds=6, names=tuple(FAULTS), pauses=(0.1, 1.0))
        run.wind_down()

    assert run.wrong == []
    assert alerts(broker.bootstrap, wild) == alerts(broker.bootstrap, calm)
    assert facts(broker.bootstrap, wild) == facts(broker.bootstrap, calm)


def test_a_burst_for_a_slow_worker_is_held_back_in_bounded_memory(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """T13: ten times what it can process, then a tenth; no worker is expelled from the group.

    Topics may be read some seconds apart then, which are hours of the burst's event time. Without
    `merge_wait_s` a topic that was read to its end would let the others get ahead, and other silences would
    raise alerts.
    """
    how: dict[str, Any] = {
        "guarantee": "exactly_once",
        "session_timeout_s": 6.0,
        "max_pending": 500,
        "merge_wait_s": 3.0,
    }
    with Run(broker, prefix, tmp_path, slow_s=0.05, max_poll_records=500, **how) as run:
        before = {name: worker.rss_mib() for name, worker in run.workers.items()}
        opened = {name: worker.times_open for name, worker in run.workers.items()}
        run.count += produce(broker.bootstrap, Shop(prefix, 13).inputs(60_000))
        grown = 0.0
        for _ in range(20):  # memory is looked at for five seconds
            time.sleep(0.25)
            grown = max(grown, *(worker.rss_mib() - before[name] for name, worker in run.workers.items()))

        assert Watch(broker.bootstrap, prefix, PARTITIONS).until_done(run.restart_exited) == []
        assert {name: worker.times_open for name, worker in run.workers.items()} == opened
        assert grown < RSS_GROWTH_MIB
        assert run.finish() == []


def test_many_rebalances_lose_nothing(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """T5, with a changelog that must be read each time."""
    with Run(broker, prefix, tmp_path, session_timeout_s=4.0) as run:
        storm(run, times=4, gap_s=1.5, backlog=20_000)

        assert run.finish() == []


def test_a_burst_of_undecodable_records_leaves_a_dead_letter_for_each_and_good_events_go_on(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """T9, I10: a thousand a second."""
    with Run(broker, prefix, tmp_path, session_timeout_s=4.0) as run:
        burst(run, seconds=4)

        assert run.finish() == []


def test_a_worker_on_a_slow_line_is_not_expelled_and_its_memory_does_not_grow(
    proxied: ProxiedBroker, prefix: str, tmp_path: Path
) -> None:
    """T13: 100 kB/s."""
    how: dict[str, Any] = {"session_timeout_s": 6.0, "bootstraps": {"one": proxied.proxied_bootstrap}}
    with Run(proxied, prefix, tmp_path, **how) as run:
        line = slow_line(run, proxied.proxy, "one", inputs=20_000, patience_s=60)

        assert run.finish() == []
        assert line.opened == 0
        assert line.grown_mib < RSS_GROWTH_MIB


@pytest.mark.parametrize(
    ("guarantee", "hole_s", "fenced"),
    [("at_least_once", 1.5, False), ("at_least_once", 9.0, True), ("exactly_once", 9.0, True)],
)
def test_a_worker_cut_off_from_the_broker_leaves_nothing_wrong_behind(
    proxied: ProxiedBroker, prefix: str, tmp_path: Path, guarantee: str, hole_s: float, fenced: bool
) -> None:
    """T15: for less than a session, and for longer: then what was in its sockets arrives late."""
    how: dict[str, Any] = {
        "guarantee": guarantee,
        "session_timeout_s": 5.0,
        "bootstraps": {"one": proxied.proxied_bootstrap},
    }
    with Run(proxied, prefix, tmp_path, **how) as run:
        feeding = run.feed(Shop(prefix, 15), seconds=hole_s + 6)
        run.until_committed()
        cut_off = run.workers["one"]
        proxied.proxy.open_hole()
        run.zombies += 1
        time.sleep(hole_s)  # the fault itself
        if fenced:
            run.workers["two"].wait_until_owner(PARTITIONS)
        proxied.proxy.close_hole()
        if fenced:
            assert cut_off.process.wait(30) in {Exit.FENCED, Exit.PRODUCER}
        feeding.join()

        assert run.finish() == []
        assert (run.workers["one"] is cut_off) is not fenced
