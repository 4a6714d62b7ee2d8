"""The whole round with a real worker: poison is set aside, good events go on, what was fixed counts once."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer

from stream.ops.cluster import bounds, partitions_of, reader
from stream.wire import Reason, partition_of
from stream.worker.rows.row import MODEL_KEY, StoredRow
from tests.ops.conftest import PARTITIONS, Shop
from tests.support.poison import HARMLESS, KEY, POISON, as_bytes, purchase

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
PATIENCE_S = 120


@pytest.fixture
def worked(shop: Shop) -> Iterator[Shop]:
    """A shop with a worker of its own."""
    environment = {
        **os.environ,
        **shop.environment,
        "STREAM_HTTP_PORT": "0",
        "STREAM_GUARANTEE": "at_least_once",
    }
    worker = subprocess.Popen([sys.executable, "-m", "stream", "worker"], env=environment)
    shop.worker = worker
    yield shop
    worker.terminate()
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        worker.kill()


def wait_until_read(shop: Shop) -> None:
    """Until the worker has committed everything that is on the inputs."""
    until = time.monotonic() + PATIENCE_S
    waiting = {"everything": 1}
    while waiting:
        assert shop.worker.poll() is None, f"the worker ended with {shop.worker.returncode}"
        assert time.monotonic() < until, f"not read: {waiting}"
        time.sleep(0.5)
        with reader(shop.settings) as consumer:
            ends = {
                (topic, number): bounds(consumer, topic, number)[1]
                for topic in shop.names.inputs
                for number in partitions_of(consumer, topic)
            }
        group = shop.settings.app_id
        answer = shop.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(
            10
        )
        done = {(part.topic, part.partition): part.offset for part in answer.topic_partitions}
        waiting = {where: end for where, end in ends.items() if end > max(done.get(where, 0), 0)}


def events_applied(shop: Shop) -> dict[str, int]:
    """By customer, from the newest row of each."""
    rows: dict[str, int] = {}
    for message in shop.all_of("profiles"):
        if message.key() != MODEL_KEY and message.value() is not None:
            profile = msgspec.json.decode(message.value(), type=StoredRow).profile
            assert profile is not None
            rows[message.key().decode()] = profile.events
    return rows


def send_poison(shop: Shop) -> None:
    client = Producer(
        {"bootstrap.servers": shop.bootstrap, "compression.type": "lz4", "message.max.bytes": 10_000_000}
    )
    for poison in POISON:
        home = partition_of(poison.key, PARTITIONS) if poison.key else 0
        client.produce(
            getattr(shop.names, poison.topic_kind), poison.value, poison.key,
            home if poison.partition is None else poison.partition, headers=poison.headers,
        )  # fmt: skip
    for number, (_, value, headers) in enumerate(HARMLESS):
        unique = value.replace(b"01J8ZK3", b"h%d" % number)
        named = [(name, b"h%d" % number if name == "ce_id" else text) for name, text in headers]
        client.produce(shop.names.purchases, unique, KEY, partition_of(KEY, PARTITIONS), headers=named)
    assert client.flush(30) == 0


def test_poison_is_set_aside_and_a_fixed_letter_counts_once(worked: Shop, tmp_path):
    file = tmp_path / "events.jsonl"
    good = [as_bytes(purchase(id=f"e{n}", subject=f"cust-{n}", data__order_id=f"o{n}")) for n in range(40)]
    file.write_bytes(b"\n".join(good))
    assert worked.run("send", str(file)).exit_code == 0
    misplaced = as_bytes(purchase(id="late", subject="cust-99"))
    client = worked.producer()
    wrong = (partition_of(b"cust-99", PARTITIONS) + 1) % PARTITIONS
    client.produce(worked.names.purchases, misplaced, b"cust-99", wrong)
    assert client.flush(10) == 0
    send_poison(worked)
    assert worked.run("send", str(file)).exit_code == 0  # the same again changes nothing
    wait_until_read(worked)

    code, told = worked.run_json("dlq", "list", "--limit", "1000")
    expected = Counter(str(poison.reason) for poison in POISON) + Counter([str(Reason.WRONG_PARTITION)])
    assert (code, told["by_reason"]) == (0, dict(expected))
    applied = events_applied(worked)
    assert {name: applied[name] for name in applied if name != KEY.decode()} == {
        f"cust-{n}": 1 for n in range(40)
    }
    assert applied[KEY.decode()] == len(HARMLESS)

    misplaced_ids = [row["id"] for row in told["letters"] if row["reason"] == Reason.WRONG_PARTITION]
    (letter,) = [
        letter_id
        for letter_id in misplaced_ids
        if json.loads(worked.run_json("dlq", "show", letter_id)[1]["value"])["id"] == "late"
    ]
    assert [worked.run_json("dlq", "redrive", letter)[1]["sent"] for _ in range(2)] == [1, 0]
    wait_until_read(worked)
    assert events_applied(worked)["cust-99"] == 1

    faults = [f for f in worked.run_json("doctor")[1]["findings"] if f["level"] == "fault"]
    assert {fault["check"] for fault in faults} == {"contents", "keys", "clocks", "dead letters"}
