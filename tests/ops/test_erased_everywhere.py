"""One customer is erased from a real Kafka and every store: their id is found in the inputs alone, the
pseudonym in the bar alone, and older events make nobody again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.page.entries import AlertEntry
from stream.page.remarks import MuteEntry
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.pseudonyms import ERASED, Pseudonyms
from stream.wire import encode_event, partition_of
from stream.worker.kafka.topics import ROLES
from stream.worker.rows.bars import BAR_KEY
from tests.support.alert_bodies import alert_body
from tests.support.builders import bought
from tests.support.deliver_world import OK, World
from tests.support.kafka_shop import PARTITIONS, ShopWithWorker, bury, wait_until_read
from tests.support.poison import as_bytes, purchase

pytestmark = pytest.mark.kafka
ZOE = "zoe@example.org"
KEY = "a-key-for-tests-only"
PSEUDONYM = Pseudonyms(KEY, ERASED).of(ZOE)
PLACE = partition_of(ZOE.encode(), PARTITIONS)
NEIGHBOUR = next(f"n{n}" for n in itertools.count() if partition_of(b"n%d" % n, PARTITIONS) == PLACE)
BEGUN = datetime.now(UTC)
NOW_DAY = (BEGUN - datetime(2024, 1, 1, tzinfo=UTC)) / timedelta(days=1)
COMPACT_S = 120.0
SMALL = {
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.0001",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "500",
    "delete.retention.ms": "100",
}


@pytest.fixture
def erasing(shop: ShopWithWorker, tmp_path: Path) -> Iterator[ShopWithWorker]:
    """A shop whose profiles topic is compacted within seconds, with a worker on disk."""
    shop.environment |= {
        "STREAM_ERASURE_KEY": KEY,
        "STREAM_CLOCK": "event",
        "STREAM_STALL_AFTER_S": "31536000",
        "STREAM_STORE": "rocksdb",
        "STREAM_DATA_DIR": str(tmp_path / "data"),
        "STREAM_DELIVER_QUEUE": str(tmp_path / "queue.db"),
        "STREAM_DASHBOARD_STORE": str(tmp_path / "store.db"),
    }
    changes = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in SMALL.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, shop.names.profiles, incremental_configs=changes)
    for answer in shop.admin.incremental_alter_configs([resource]).values():
        answer.result(10)
    shop.log_file = tmp_path / "worker.log"
    shop.start_worker(log_level="debug")
    yield shop
    shop.stop_worker()


def send(shop: ShopWithWorker, file: Path, customer: str, days: list[float], name: str) -> None:
    """Purchases of a customer, so many days ago."""
    events = [
        bought(NOW_DAY - ago, 30_000, event_id=f"{name}{n}", customer=customer) for n, ago in enumerate(days)
    ]
    file.write_bytes(b"\n".join(map(encode_event, events)) + b"\n")
    result = shop.run("send", str(file))
    assert result.exit_code == 0, result.output
    wait_until_read(shop)


def since_begun() -> float:
    """Now, as days before the beginning of the test."""
    return (BEGUN - datetime.now(UTC)) / timedelta(days=1)


def naming(shop: ShopWithWorker, text: str) -> dict[str, list[tuple[Any, ...]]]:
    """Role -> partition, offset and key of the records that hold a text anywhere."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for role in ROLES:
        found[role] = [
            (each.partition(), each.offset(), each.key())
            for each in shop.all_of(role)
            if text.encode() in whole(each)
        ]
    return {role: places for role, places in found.items() if places}


def whole(record: Message) -> bytes:
    headers = b"".join(name.encode() + (value or b"") for name, value in record.headers() or ())
    return (record.key() or b"") + (record.value() or b"") + headers


LIFE = [190.0 - 7 * week for week in range(20)]


def test_after_an_erasure_the_id_is_in_the_inputs_alone_and_nothing_brings_it_back(erasing, tmp_path):
    shop, file = erasing, tmp_path / "events.jsonl"
    fill(shop, file)
    fill_stores(tmp_path)
    before = naming(shop, ZOE)
    assert {"purchases", "profiles", "alerts", "deadletter"} == set(before)
    check_export(shop, before)
    _, plan = shop.run_json("erase", ZOE, "--dry-run")
    assert (plan["operation"], plan["dry_run"]) == ("", True)
    assert naming(shop, ZOE) == before

    assert shop.run_json("dlq", "list", "--customer", ZOE)[1]["total"] == 1
    assert shop.run_json("dlq", "forget", ZOE) == (0, {"found": 1, "deleted": 1})
    assert shop.run_json("dlq", "list")[1]["total"] == 1
    _, report = shop.run_json("erase", ZOE, "--wait", "1")
    wait_until_read(shop)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    shop.run_json("erase", ZOE, "--delete-records-before", tomorrow, "--delete-from", "alerts")
    until_compacted(shop, file)
    check_scan(shop)
    check_again(shop, report["operation"])

    send(shop, file, ZOE, LIFE, "again")
    send(shop, file, NEIGHBOUR, [since_begun()], "end")
    assert set(naming(shop, ZOE)) == {"purchases", "control"}
    shop.stop_worker()
    check_files(tmp_path)


def fill(shop: ShopWithWorker, file: Path) -> None:
    """A customer with alerts and a dead letter, and others."""
    send(shop, file, ZOE, LIFE, "z")
    send(shop, file, NEIGHBOUR, [180.0 - 3 * n for n in range(60)], "n")
    bury(shop, 1, as_bytes(purchase(id="bad", subject=ZOE)), ZOE.encode())
    bury(shop, 2, as_bytes(purchase(id="other", subject="max")), b"max")


def fill_stores(folder: Path) -> None:
    """A queue that delivered an alert of the customer, and a dashboard's store with what staff did."""

    async def delivered() -> None:
        world = World(folder, lambda _: OK)
        await world.send(alert_body(ZOE), alert_body("max"))
        world.report()
        world.database.close()

    asyncio.run(delivered())
    store = SqliteStore(folder / "store.db")
    store.open_for("x")
    alerts = [AlertEntry(f"a-{who}", who, "churn_risk", "raised", 10, 1, b"{}") for who in (ZOE, "max")]
    store.write(Batch(alerts=alerts, mutes=[MuteEntry(ZOE, 99, 9, "staff", "Ada")]))
    store.close()
    assert stores_naming(folder, ZOE) == {"queue", "store"}


def stores_naming(folder: Path, text: str) -> set[str]:
    """Which of queue and store hold a text in any of their files, free pages and write-ahead log included."""
    return {
        path.name.partition(".")[0] for path in folder.glob("*.db*") if text.encode() in path.read_bytes()
    }


def check_export(shop: ShopWithWorker, scanned: dict[str, list[tuple[Any, ...]]]) -> None:
    """All that a scan of the topics finds is exported, and said in words."""
    code, known = shop.run_json("export", ZOE)
    assert code == 0
    exported = {
        (topic, each["partition"], each["offset"]) for topic, of in known["topics"].items() for each in of
    }
    for role, places in scanned.items():
        assert {(getattr(shop.names, role), *place[:2]) for place in places} <= exported, role
    assert any("20 orders" in line for line in known["words"])


def check_scan(shop: ShopWithWorker) -> None:
    assert set(naming(shop, ZOE)) == {"purchases", "control"}
    assert len(naming(shop, ZOE)["control"]) == 1
    barred = naming(shop, PSEUDONYM)
    assert set(barred) == {"profiles"}
    assert {place[2] for place in barred["profiles"]} == {BAR_KEY + PSEUDONYM.encode()}


def check_again(shop: ShopWithWorker, operation: str) -> None:
    """The same report again, which names what only the owner of the input can delete."""
    again = [shop.run_json("erase", ZOE) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0][0] == 0, [each for each in again[0][1]["stores"] if each["state"] in ("waits", "failed")]
    assert again[0][1]["operation"] == operation
    (owner,) = [each for each in again[0][1]["stores"] if each["store"] == f"topic {shop.names.purchases}"]
    assert (owner["left"], owner["offsets"][0]["partition"]) == (len(LIFE), PLACE)


def check_files(folder: Path) -> None:
    """Neither the log, at its lowest level, nor any store names the customer; others are still in them."""
    assert stores_naming(folder, ZOE) == set()
    assert stores_naming(folder, "max") == {"queue", "store"}
    log = (folder / "worker.log").read_bytes()
    assert b"lanes are open" in log
    assert ZOE.encode() not in log
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if ZOE.encode() in path.read_bytes()] == []


def until_compacted(shop: ShopWithWorker, file: Path) -> None:
    """Give Kafka new segments until the profiles topic holds the id no more."""
    until = time.monotonic() + COMPACT_S
    number = 0
    while "profiles" in naming(shop, ZOE):
        assert time.monotonic() < until, naming(shop, ZOE)["profiles"]
        number += 1
        send(shop, file, NEIGHBOUR, [since_begun()], f"roll{number}")
        time.sleep(1)


def test_what_cannot_be_erased_is_one_line(shop):
    missing = shop.run("erase", "")
    assert (missing.exit_code, "a customer id has 1 to 256 characters" in missing.output) == (2, True)
    assert "belong together" in shop.run("erase", "c", "--delete-from", "alerts").output
    nobody = shop.run("export", "nobody")
    assert (nobody.exit_code, json.dumps("nobody") in nobody.output or "nobody" in nobody.output) == (1, True)
    code, report = shop.run_json("erase", "nobody", "--dry-run")
    assert (code, {each["state"] for each in report["stores"]} <= {"clean", "absent"}) == (0, True)
