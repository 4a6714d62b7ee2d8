"""Producers that write in transactions: what they commit counts once, what they abort never. Real Kafka."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from tests.faults.verifier import read_all
from tests.faults.workers import Progress, ToyWorker, make_topics
from tests.support.kafka_broker import Broker
from tests.support.toy_app import Event
from tests.support.transactions import TransactionalProducer, ends

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

GUARANTEES = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
ROUNDS, PER_TRANSACTION = 10, 10
START_MS = 1_700_000_000_000
STUCK_S = 2


def event(key: str, number: int) -> bytes:
    return msgspec.json.encode(Event(key, START_MS + number * 1_000, 1))


def counts(broker: Broker, prefix: str) -> dict[str, int]:
    """Key -> how many events its row has counted."""
    rows = {
        record.key(): record.value()
        for record in read_all(broker.bootstrap, f"{prefix}.rows")
        if not record.key().startswith(b"\x00")
    }
    return {key.decode(): json.loads(row)["count"] for key, row in rows.items()}


def wait_for_all(broker: Broker, prefix: str, worker: ToyWorker) -> None:
    """Until the group has committed each input to its very end, markers included."""
    Progress(broker.bootstrap, prefix).wait_for(sum(ends(broker.bootstrap, prefix).values()), 60)


@pytest.fixture
def producers(broker: Broker, prefix: str) -> Iterator[list[TransactionalProducer]]:
    """One for each compression; their transactions are under way at the same time in the same partition."""
    make_topics(broker.bootstrap, prefix, 1)
    with ExitStack() as stack:
        yield [
            stack.enter_context(TransactionalProducer(broker.bootstrap, f"{prefix}-{name}", name))
            for name in COMPRESSIONS
        ]


def interleave(producers: list[TransactionalProducer], prefix: str, first: int, rounds: int) -> None:
    """In each round every producer writes one transaction, the records of all of them mixed.

    Each aborts every other one, so that committed and aborted ones overlap; the last round ends in markers.
    """
    for number in range(first, first + rounds):
        for producer in producers:
            producer.begin()
        for place in range(PER_TRANSACTION):
            for at, producer in enumerate(producers):
                key = "kept" if (number + at) % 2 else "aborted"
                producer.send(f"{prefix}.purchases", key, event(key, number * PER_TRANSACTION + place))
        for at, producer in enumerate(producers):
            producer.end(commit=bool((number + at) % 2))


@GUARANTEES
def test_what_producers_abort_is_not_counted_and_the_offsets_go_on_behind_the_last_marker(
    broker: Broker, prefix: str, tmp_path: Path, producers: list[TransactionalProducer], guarantee: str
) -> None:
    interleave(producers, prefix, 0, ROUNDS)

    worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)
    wait_for_all(broker, prefix, worker)

    assert worker.stop() == 0
    assert counts(broker, prefix) == {"kept": ROUNDS * PER_TRANSACTION * len(producers) // 2}


@GUARANTEES
def test_a_worker_that_is_killed_between_transactions_counts_each_committed_record_once(
    broker: Broker, prefix: str, tmp_path: Path, producers: list[TransactionalProducer], guarantee: str
) -> None:
    known = {"consumer_group_instance_id": "worker-0"}
    how: dict[str, Any] = {"guarantee": guarantee, "faust": known, "flush_interval_s": 0.02}
    for part in range(3):
        worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", **how)
        interleave(producers, prefix, part * ROUNDS, ROUNDS)
        if part < 2:
            Progress(broker.bootstrap, prefix).wait_for(1)
            worker.kill()
    wait_for_all(broker, prefix, worker)

    assert worker.stop() == 0
    assert counts(broker, prefix) == {"kept": 3 * ROUNDS * PER_TRANSACTION * len(producers) // 2}


def test_other_partitions_go_on_while_a_transaction_is_open_and_it_is_told_with_its_producer(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    make_topics(broker.bootstrap, prefix, 2)
    plain = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    with TransactionalProducer(broker.bootstrap, f"{prefix}-hanging", "lz4") as hanging:
        hanging.begin()
        hanging.send(f"{prefix}.purchases", "hidden", event("hidden", 1))
        plain.produce(f"{prefix}.purchases", event("behind", 2), "behind", 0)
        for number in range(100):
            plain.produce(f"{prefix}.purchases", event("open", number), "open", 1)
        plain.flush()
        worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", open_transaction_s=STUCK_S)
        Progress(broker.bootstrap, prefix).wait_for(100)
        line_begins = f"{prefix}.purchases/0: a transaction has been open for"
        worker.wait_for_line(line_begins)
        line = worker.line_with(line_begins)
        hanging.end(commit=True)
        worker.wait_for_line(f"{prefix}.purchases/0: the transaction of producer")
        wait_for_all(broker, prefix, worker)

    assert worker.stop() == 0
    assert counts(broker, prefix) == {"hidden": 1, "behind": 1, "open": 100}
    assert f"transactional id {prefix}-hanging" in line
    assert "offset 0" in line
    assert worker.lines_with(line_begins) == [line], "told once"
