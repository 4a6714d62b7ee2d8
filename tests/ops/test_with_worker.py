"""With a real worker: broken records become dead letters, good ones count, a redriven one counts once."""

import json
from collections import Counter

import msgspec
import pytest
from confluent_kafka import Producer

from stream.wire import Reason, partition_of
from stream.worker.rows.row import MODEL_KEY, StoredRow
from tests.support.kafka_shop import PARTITIONS, ShopWithWorker, wait_until_read
from tests.support.poison import HARMLESS, KEY, POISON, as_bytes, purchase

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def events_applied(shop: ShopWithWorker) -> dict[str, int]:
    """Events applied by customer, from the newest row of each."""
    rows: dict[str, int] = {}
    for message in shop.all_of("profiles"):
        if message.key() != MODEL_KEY and message.value() is not None:
            profile = msgspec.json.decode(message.value(), type=StoredRow).profile
            assert profile is not None
            rows[message.key().decode()] = profile.events
    return rows


def send_poison(shop: ShopWithWorker) -> None:
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


def test_broken_records_become_dead_letters_and_a_redriven_one_counts_once(worked: ShopWithWorker, tmp_path):
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

    code, report = worked.run_json("dlq", "list", "--limit", "1000")
    expected = Counter(str(poison.reason) for poison in POISON) + Counter([str(Reason.WRONG_PARTITION)])
    assert (code, report["by_reason"]) == (0, dict(expected))
    applied = events_applied(worked)
    assert {name: applied[name] for name in applied if name != KEY.decode()} == {
        f"cust-{n}": 1 for n in range(40)
    }
    assert applied[KEY.decode()] == len(HARMLESS)

    misplaced_ids = [row["id"] for row in report["letters"] if row["reason"] == Reason.WRONG_PARTITION]
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
