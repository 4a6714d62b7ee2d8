"""`stream doctor` on a real broker: each fault is planted in a healthy shop, and found with its remedy."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from stream.commands.main import main
from stream.ops.doctor import lag
from stream.worker.kafka.dead_letter import InputRecord, dead_letter
from tests.support.kafka_shop import KafkaShop
from tests.support.narrow import not_none
from tests.support.poison import as_bytes, purchase

ROOM = 60


def event(number: int, when: datetime | None = None, **changes) -> bytes:
    at = (when or datetime.now(UTC)).isoformat()
    return as_bytes(purchase(id=f"e{number}", subject=f"cust-{number}", time=at, **changes))


def produce(shop: KafkaShop, role: str, values: dict[str, bytes | None], **config) -> None:
    client = Producer({"bootstrap.servers": shop.bootstrap, "partitioner": "murmur2_random", **config})
    for key, value in values.items():
        client.produce(getattr(shop.names, role), value, key.encode() or None)
    assert client.flush(10) == 0


def configure(shop: KafkaShop, role: str, **config: str) -> None:
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, getattr(shop.names, role), incremental_configs=entries)
    for answer in shop.admin.incremental_alter_configs([resource]).values():
        answer.result(10)


def examine(shop: KafkaShop, check: str, found: Callable[[dict], bool]) -> dict:
    """A finding of the doctor, once all brokers know what was planted."""
    until = time.monotonic() + 20
    while True:
        code, report = shop.run_json("doctor")
        hits = [f for f in report["findings"] if f["check"] == check and found(f)]
        if hits or time.monotonic() > until:
            assert hits, report
            return {"code": code, "faults": report["faults"], **hits[0]}
        time.sleep(0.5)


@pytest.fixture
def healthy(shop: KafkaShop) -> Iterator[KafkaShop]:
    """Events on the topics, and a consumer that has read them in the place of a worker."""
    produce(shop, "purchases", {f"cust-{n}": event(n) for n in range(ROOM)})
    worker = Consumer(
        {
            "bootstrap.servers": shop.bootstrap,
            "group.id": shop.settings.app_id,
            "auto.offset.reset": "earliest",
        }
    )
    worker.subscribe([shop.names.purchases])
    read = 0
    while read < ROOM:
        message = worker.poll(10)
        assert message is not None
        assert message.error() is None
        read += 1
    worker.commit(asynchronous=False)
    shop.consumer = worker
    yield shop
    worker.close()


@pytest.mark.kafka
def test_a_healthy_shop_has_no_fault(healthy):
    code, report = healthy.run_json("doctor")

    assert (code, [f for f in report["findings"] if f["level"] == "fault"]) == (0, [])
    assert "Apache Kafka 4.1 or newer" in next(
        f["found"] for f in report["findings"] if f["check"] == "broker"
    )
    assert "0 faults in 19 checks, 1 of them skipped" in healthy.run("doctor").output


def delete_topic(shop: KafkaShop) -> None:
    for answer in shop.admin.delete_topics([shop.names.feedback]).values():
        answer.result(10)


def add_partitions(shop: KafkaShop) -> None:
    more = NewPartitions(shop.names.engagement, 6)
    for answer in shop.admin.create_partitions([more]).values():
        answer.result(10)


def misplace_keys(shop: KafkaShop) -> None:
    produce(shop, "purchases", {f"cust-{n}": event(n) for n in range(ROOM)}, partitioner="consistent_random")


def send_rubbish(shop: KafkaShop) -> None:
    produce(shop, "feedback", {"cust-1": b"<xml/>"})


def send_from_the_future(shop: KafkaShop) -> None:
    later = datetime.now(UTC) + timedelta(minutes=20)
    produce(shop, "purchases", {"cust-1": event(1, later)})


def stop_the_worker(shop: KafkaShop) -> None:
    shop.consumer.close()


def forget_the_topic(shop: KafkaShop) -> None:
    """Committed offsets beyond the end: as they remain when a topic is deleted and created again."""
    shop.consumer.commit(offsets=[TopicPartition(shop.names.purchases, 0, 1_000_000)], asynchronous=False)


def bury_many(shop: KafkaShop) -> None:
    client = shop.producer()
    for n in range(30):
        letter = dead_letter(InputRecord(shop.names.purchases, 0, n, b"k", b"x"), "schema", "")
        client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
    assert client.flush(10) == 0


def write_strange_rows(shop: KafkaShop) -> None:
    produce(shop, "profiles", {f"cust-{n}": None for n in range(9)})


def write_what_is_no_row(shop: KafkaShop) -> None:
    produce(shop, "profiles", {"cust-1": b"<xml/>", "cust-2": b'{"profile":7}'})


FAULTS = [
    ("topics", "customers.feedback.v1 does not exist", "stream topics apply", delete_topic),
    ("partitions", "has 6 partitions, 4 wanted", "never changed", add_partitions),
    ("retention", "deletes events older than 7 days", "--alter",
     lambda shop: configure(shop, "purchases", retention_ms="604800000")),
    ("compaction", "customers.profiles.v1 is not compacted", "--alter",
     lambda shop: configure(shop, "profiles", cleanup_policy="delete")),
    ("compaction", "customers.feedback.v1 is compacted", "send the lost events again",
     lambda shop: configure(shop, "feedback", cleanup_policy="compact")),
    ("copies", "1 copies but min.insync.replicas=2", "min.insync.replicas",
     lambda shop: configure(shop, "alerts", min_insync_replicas="2")),
    ("sizes", "takes records up to 10,000 bytes", "max.message.bytes",
     lambda shop: configure(shop, "purchases", max_message_bytes="10000")),
    ("timestamps", "overwrites the time of its records", "--alter",
     lambda shop: configure(shop, "engagement", message_timestamp_type="LogAppendTime")),
    ("keys", "are not where murmur2 puts them", "murmur2_random", misplace_keys),
    ("contents", "cannot be read: 1 invalid_json", "schemas/", send_rubbish),
    ("clocks", "more than 5 minutes in this machine's future", "NTP", send_from_the_future),
    ("workers", "has no member", "stream worker", stop_the_worker),
    ("lag", "1,000,000 was committed, but the topic ends at", "cut over", forget_the_topic),
    ("dead letters", "30 dead letters within a day", "stream dlq", bury_many),
    ("profiles", "2 of the newest 2 records are no profiles", "partition/offset", write_what_is_no_row),
    ("profiles", "9 of the newest 9 records delete a profile", "restore", write_strange_rows),
]  # fmt: skip


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("check", "found", "remedy", "plant"), FAULTS, ids=[f"{f[0]}: {f[1]}" for f in FAULTS]
)
def test_a_planted_fault_is_found_with_its_remedy(healthy, check, found, remedy, plant):
    plant(healthy)

    finding = examine(healthy, check, lambda finding: found in finding["found"])

    assert (finding["code"], finding["level"]) == (1, "fault")
    assert remedy in finding["remedy"]
    assert finding["faults"] <= 2  # the planted one, and at most what follows from it


@pytest.mark.kafka
def test_log_segments_by_event_time_are_a_note_and_no_fault(healthy):
    configure(healthy, "purchases", segment_ms="604800000")

    finding = examine(healthy, "retention", lambda finding: "a file for every 7 days" in finding["found"])

    assert (finding["code"], finding["level"], finding["faults"]) == (0, "note", 0)
    assert "--alter" in finding["remedy"]


def add_unread_events(shop: KafkaShop, count: int) -> None:
    produce(shop, "purchases", {f"cust-{n}": event(n) for n in range(count)})


def lag_finding(shop: KafkaShop) -> tuple[int, dict]:
    code, report = shop.run_json("doctor")
    return code, next(finding for finding in report["findings"] if finding["check"] == "lag")


class Reading:
    """A worker that reads and commits in the background."""

    def __init__(self, shop: KafkaShop, pause_s: float) -> None:
        self._shop, self._pause_s, self._stop = shop, pause_s, threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        while not self._stop.wait(self._pause_s):
            message = self._shop.consumer.poll(0.1)
            if message is not None:
                self._shop.consumer.commit(message, asynchronous=False)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.kafka
def test_a_worker_that_catches_up_is_a_note_with_its_rate(healthy, monkeypatch):
    monkeypatch.setattr("stream.ops.doctor.lag.LAG_MAX", 100)
    add_unread_events(healthy, 5_000)

    with Reading(healthy, pause_s=0.01):
        code, finding = lag_finding(healthy)

    assert (code, finding["level"]) == (0, "note")
    pattern = r"catching up: ([\d,]+) events left, about ([\d.]+) minutes"
    left, minutes = not_none(re.match(pattern, finding["found"])).groups()
    assert 1_000 < int(left.replace(",", "")) < 5_000
    assert float(minutes) > 0


@pytest.mark.kafka
def test_a_lag_that_nobody_reads_is_a_fault(healthy, monkeypatch):
    monkeypatch.setattr("stream.ops.doctor.lag.LAG_MAX", 100)
    monkeypatch.setattr("stream.ops.doctor.lag.PATIENCE_S", 3.0)
    add_unread_events(healthy, 300)

    code, finding = lag_finding(healthy)

    assert (code, finding["level"]) == (1, "fault")
    assert re.match(r"300 events are waiting, and none was read in [345] s", finding["found"])
    assert "/readyz" in finding["remedy"]


@pytest.mark.kafka
def test_a_worker_that_falls_behind_is_a_fault(healthy, monkeypatch):
    monkeypatch.setattr("stream.ops.doctor.lag.LAG_MAX", 100)
    monkeypatch.setattr("stream.ops.doctor.lag.PATIENCE_S", 3.0)
    monkeypatch.setattr("stream.ops.doctor.lag.READ_EVERY_S", 3.0)
    add_unread_events(healthy, 300)
    later = threading.Timer(1.5, add_unread_events, [healthy, 5_000])
    original = lag.measure_trend

    def measure_trend(*arguments):
        later.start()
        return original(*arguments)

    monkeypatch.setattr("stream.ops.doctor.cluster_view.measure_trend", measure_trend)
    with Reading(healthy, pause_s=0.01):
        code, finding = lag_finding(healthy)
    later.join()

    assert (code, finding["level"]) == (1, "fault")
    assert re.search(r"in [345] s 5,000 arrived and only \d+ were read", finding["found"])
    assert finding["remedy"] == "start more workers, at most one per partition"


def test_a_broker_that_does_not_answer_is_the_only_fault(monkeypatch):
    monkeypatch.setattr("stream.worker.kafka.topics_admin.ADMIN_TIMEOUT_S", 1.0)
    environment = {"STREAM_BROKERS": "127.0.0.1:1"}

    result = CliRunner().invoke(main, ["doctor", "--json"], env=environment)

    report = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, report["faults"]) == (1, 1)
    assert "no broker answers at 127.0.0.1:1 (STREAM_BROKERS)" in report["findings"][0]["found"]
