"""Rows are recovered from a real changelog as its last writer left them, all partitions by one reader."""

import random
import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest
from confluent_kafka import Producer

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.output.producer import Sender
from stream.engine.state import recovery
from stream.engine.state.epoch import EPOCH_HEADER
from stream.engine.state.recovery import SOON_S, Fence, changelog_end, recover
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from tests.support.kafka_broker import Broker, create_topics
from tests.support.toy_app import Counters, ToyCodec

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

PARTITIONS = 5
EMPTY = 3
Rows = dict[int, dict[bytes, int]]
"""Partition -> key -> the count in its row."""
Tables = Mapping[int, Table[Counters]]


def new_tables() -> Tables:
    return {partition: Table(ToyCodec(), MemoryStore(), 10) for partition in range(PARTITIONS)}


def rows_of(tables: Tables) -> Rows:
    return {
        partition: {key: row.count for key in table.all_keys() if (row := table.get(key)) is not None}
        for partition, table in tables.items()
    }


def changelog(broker: Broker, prefix: str, guarantee: str = "at_least_once") -> EngineOptions:
    topic = f"{prefix}.rows"
    create_topics(broker.bootstrap, [topic], PARTITIONS)
    return EngineOptions(f"{prefix}-app", broker.bootstrap, ("events",), topic, guarantee=guarantee)


def written(
    producer: Producer, options: EngineOptions, chance: random.Random, count: int, epoch: int | None
) -> Rows:
    """Write so many rows and tombstones, in any order of partitions; returns the rows that remain."""
    rows: Rows = {partition: {} for partition in range(PARTITIONS)}
    headers = None if epoch is None else {EPOCH_HEADER: str(epoch).encode()}
    for number in range(count):
        partition = chance.choice([each for each in range(PARTITIONS) if each != EMPTY])
        key = f"customer{chance.randrange(300)}".encode()
        row = None if chance.random() < 0.1 else ToyCodec().encode_row(Counters(key.decode(), count=number))
        producer.produce(options.changelog, row, key, partition, headers=headers)
        if row is None:
            rows[partition].pop(key, None)
        else:
            rows[partition][key] = number
    producer.flush(30)
    return rows


def test_every_partition_has_its_last_rows_and_its_new_writer(broker: Broker, prefix: str) -> None:
    options, tables = changelog(broker, prefix), new_tables()
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    left = written(producer, options, random.Random(1), 30_000, epoch=1)
    sender = Sender(options, "successor")

    def fence(epochs: Mapping[int, int]) -> None:
        written(producer, options, random.Random(2), 500, epoch=0)  # of a worker that was replaced long ago
        sender.fence(options.changelog, epochs)

    count = recover(options, tables, threading.Event(), Fence(fence, generation=7))

    assert count == 30_500
    assert rows_of(tables) == left
    assert [table.epoch for table in tables.values()] == [7] * PARTITIONS
    assert sum(len(table.void) for table in tables.values()) > 100

    again = new_tables()
    assert recover(options, again, threading.Event()) == 30_500 + PARTITIONS
    assert rows_of(again) == left


def test_a_transaction_marker_behind_our_fence_is_not_taken_for_another_writer(
    broker: Broker, prefix: str
) -> None:
    options, tables = changelog(broker, prefix), new_tables()
    left = written(
        Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True}),
        options,
        random.Random(8),
        500,
        epoch=2,
    )
    dying = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": prefix})
    dying.init_transactions(30)
    dying.begin_transaction()
    written(dying, options, random.Random(9), 500, epoch=None)
    sender = Sender(options, "successor")
    end = threading.Timer(1.0, dying.abort_transaction, [30])

    def fence(epochs: Mapping[int, int]) -> None:
        sender.fence(options.changelog, epochs)
        end.start()

    assert recover(options, tables, threading.Event(), Fence(fence, generation=3)) == 500

    end.join()
    assert rows_of(tables) == left
    ends = {partition: changelog_end(options, partition) for partition in tables}
    assert {partition: table.position for partition, table in tables.items()} == ends


def test_rows_of_an_aborted_transaction_are_not_recovered(broker: Broker, prefix: str) -> None:
    """Markers follow the last row, and aborted rows follow the last one that counts."""
    options, tables = changelog(broker, prefix, "exactly_once"), new_tables()
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": prefix})
    producer.init_transactions(30)
    producer.begin_transaction()
    left = written(producer, options, random.Random(3), 5_000, epoch=None)
    producer.commit_transaction(30)
    producer.begin_transaction()
    written(producer, options, random.Random(4), 5_000, epoch=None)
    producer.abort_transaction(30)

    assert recover(options, tables, threading.Event()) == 5_000
    assert rows_of(tables) == left


def test_rows_behind_an_open_transaction_are_waited_for(
    broker: Broker, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of somebody who should not write there. Without them the worker would go on from older rows."""
    options, tables = changelog(broker, prefix, "exactly_once"), new_tables()
    stranger = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": prefix})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    written(stranger, options, random.Random(3), 500, epoch=None)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    left = written(producer, options, random.Random(4), 1_000, epoch=None)
    end = threading.Timer(SOON_S + 1, stranger.abort_transaction, [30])
    end.start()

    assert recover(options, tables, threading.Event()) == 1_000

    end.join()
    assert rows_of(tables) == left
    assert "waiting for the end of a transaction in their rows" in caplog.text


def test_a_transaction_in_the_rows_that_does_not_end_stops_the_worker(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "ABORT_S", 1)
    options = replace(changelog(broker, prefix, "exactly_once"), transaction_timeout_s=1.0)
    stranger = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": prefix})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    written(stranger, options, random.Random(3), 500, epoch=None)

    with pytest.raises(EngineError, match=r"a transaction in .* does not end: who wrote it") as failure:
        recover(options, new_tables(), threading.Event())

    stranger.abort_transaction(30)
    assert failure.value.code == Exit.PRODUCER


def test_only_the_rows_behind_the_position_of_a_table_are_read(broker: Broker, prefix: str) -> None:
    options, tables = changelog(broker, prefix), new_tables()
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    written(producer, options, random.Random(5), 1_000, epoch=None)
    recover(options, tables, threading.Event())
    ahead = {partition: table.position for partition, table in tables.items()}
    more = written(producer, options, random.Random(6), 70, epoch=None)

    assert recover(options, tables, threading.Event()) == 70
    assert {key: count for key, count in rows_of(tables)[0].items() if key in more[0]} == more[0]
    assert sum(table.position for table in tables.values()) == sum(ahead.values()) + 70


def test_a_changelog_that_is_shorter_than_it_was_is_refused(broker: Broker, prefix: str) -> None:
    options, tables = changelog(broker, prefix), new_tables()
    tables[2].position = 10

    with pytest.raises(EngineError, match=rf"{options.changelog}/2 ends at 0, but rows up to 10") as failure:
        recover(options, tables, threading.Event())

    assert failure.value.code == Exit.DATA_LOSS


def test_a_later_writer_of_one_partition_ends_the_recovery_of_all(broker: Broker, prefix: str) -> None:
    options, tables = changelog(broker, prefix), new_tables()
    other, sender = Sender(options, "other"), Sender(options, "late")

    def fence(epochs: Mapping[int, int]) -> None:
        other.fence(options.changelog, {4: 9})
        sender.fence(options.changelog, epochs)

    with pytest.raises(EngineError, match=rf"another worker writes {options.changelog}/4") as failure:
        recover(options, tables, threading.Event(), Fence(fence, generation=8))

    assert failure.value.code == Exit.FENCED


def test_partitions_that_are_revoked_are_not_read_to_their_end(broker: Broker, prefix: str) -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(InterruptedError, match="taken away"):
        recover(changelog(broker, prefix), new_tables(), stop)
