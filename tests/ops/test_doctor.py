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
from tests.ops.conftest import Shop
from tests.support.poison import as_bytes, purchase

ROOM = 60


def event(number: int, when: datetime | None = None, **changes) -> bytes:
    at = (when or datetime.now(UTC)).isoformat()
    return as_bytes(purchase(id=f"e{number}", subject=f"cust-{number}", time=at, **changes))


def produce(shop: Shop, role: str, values: dict[str, bytes | None], **config) -> None:
    client = Producer({"bootstrap.servers": shop.bootstrap, "partitioner": "murmur2_random", **config})
    for key, value in values.items():
        client.produce(getattr(shop.names, role), value, key.encode() or None)
    assert client.flush(10) == 0


def configure(shop: Shop, role: str, **config: str) -> None:
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, getattr(shop.names, role), incremental_configs=entries)
    for answer in shop.admin.incremental_alter_configs([resource]).values():
        answer.result(10)


def examine(shop: Shop, check: str, found: Callable[[dict], bool]) -> dict:
    """The doctor's report, once brokers have spread what was planted."""
    until = time.monotonic() + 20
    while True:
        code, told = shop.run_json("doctor")
        hits = [f for f in told["findings"] if f["check"] == check and found(f)]
        if hits or time.monotonic() > until:
            assert hits, told
            return {"code": code, "faults": told["faults"], **hits[0]}
        time.sleep(0.5)


@pytest.fixture
def healthy(shop: Shop) -> Iterator[Shop]:
    """Events on the topics, and a worker that has read them."""
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
    shop.worker = worker
    yield shop
    worker.close()


@pytest.mark.kafka
def test_where_all_is_well_there_is_no_fault(healthy):
    code, told = healthy.run_json("doctor")

    assert (code, [f for f in told["findings"] if f["level"] == "fault"]) == (0, [])
    assert "Apache Kafka 4.1 or newer" in next(f["found"] for f in told["findings"] if f["check"] == "broker")
    assert "0 faults in 16 checks" in healthy.run("doctor").output


def delete_topic(shop: Shop) -> None:
    for answer in shop.admin.delete_topics([shop.names.feedback]).values():
        answer.result(10)


def add_partitions(shop: Shop) -> None:
    more = NewPartitions(shop.names.engagement, 6)
    for answer in shop.admin.create_partitions([more]).values():
        answer.result(10)


def misplace_keys(shop: Shop) -> None:
    produce(shop, "purchases", {f"cust-{n}": event(n) for n in range(ROOM)}, partitioner="consistent_random")


def send_rubbish(shop: Shop) -> None:
    produce(shop, "feedback", {"cust-1": b"<xml/>"})


def send_from_the_future(shop: Shop) -> None:
    later = datetime.now(UTC) + timedelta(minutes=20)
    produce(shop, "purchases", {"cust-1": event(1, later)})


def stop_the_worker(shop: Shop) -> None:
    shop.worker.close()


def forget_the_topic(shop: Shop) -> None:
    """Committed offsets beyond the end: what is left after a topic was made anew."""
    shop.worker.commit(offsets=[TopicPartition(shop.names.purchases, 0, 1_000_000)], asynchronous=False)


def bury_many(shop: Shop) -> None:
    client = shop.producer()
    for n in range(30):
        letter = dead_letter(InputRecord(shop.names.purchases, 0, n, b"k", b"x"), "schema", "")
        client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
    assert client.flush(10) == 0


def write_strange_rows(shop: Shop) -> None:
    produce(shop, "profiles", {f"cust-{n}": None for n in range(9)})


def write_what_is_no_row(shop: Shop) -> None:
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

    told = examine(healthy, check, lambda finding: found in finding["found"])

    assert (told["code"], told["level"]) == (1, "fault")
    assert remedy in told["remedy"]
    assert told["faults"] <= 2  # the planted one, and at most what follows from it


@pytest.mark.kafka
def test_log_segments_by_event_time_are_a_note_and_no_fault(healthy):
    configure(healthy, "purchases", segment_ms="604800000")

    told = examine(healthy, "retention", lambda finding: "a file for every 7 days" in finding["found"])

    assert (told["code"], told["level"], told["faults"]) == (0, "note", 0)
    assert "--alter" in told["remedy"]


def add_unread_events(shop: Shop, count: int) -> None:
    produce(shop, "purchases", {f"cust-{n}": event(n) for n in range(count)})


def lag_finding(shop: Shop) -> tuple[int, dict]:
    code, told = shop.run_json("doctor")
    return code, next(finding for finding in told["findings"] if finding["check"] == "lag")


class Reading:
    """A worker that goes on reading, and committing."""

    def __init__(self, shop: Shop, pause_s: float) -> None:
        self._shop, self._pause_s, self._stop = shop, pause_s, threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        while not self._stop.wait(self._pause_s):
            message = self._shop.worker.poll(0.1)
            if message is not None:
                self._shop.worker.commit(message, asynchronous=False)

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
        code, told = lag_finding(healthy)

    assert (code, told["level"]) == (0, "note")
    left, minutes = re.match(
        r"catching up: ([\d,]+) events left, about ([\d.]+) minutes", told["found"]
    ).groups()
    assert 1_000 < int(left.replace(",", "")) < 5_000
    assert float(minutes) > 0


@pytest.mark.kafka
def test_a_lag_that_nobody_works_off_is_a_fault(healthy, monkeypatch):
    monkeypatch.setattr("stream.ops.doctor.lag.LAG_MAX", 100)
    monkeypatch.setattr("stream.ops.doctor.lag.PATIENCE_S", 3.0)
    add_unread_events(healthy, 300)

    code, told = lag_finding(healthy)

    assert (code, told["level"]) == (1, "fault")
    assert re.match(r"300 events are waiting, and none was read in [345] s", told["found"])
    assert "/readyz" in told["remedy"]


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
        code, told = lag_finding(healthy)
    later.join()

    assert (code, told["level"]) == (1, "fault")
    assert re.search(r"in [345] s 5,000 arrived and only \d+ were read", told["found"])
    assert told["remedy"] == "start more workers, at most one per partition"


def test_a_broker_that_does_not_answer_is_the_one_fault(monkeypatch):
    monkeypatch.setattr("stream.ops.doctor.cluster_view.TIMEOUT_S", 1.0)
    environment = {"STREAM_BROKERS": "127.0.0.1:1"}

    result = CliRunner().invoke(main, ["doctor", "--json"], env=environment)

    told = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, told["faults"]) == (1, 1)
    assert "no broker answers at 127.0.0.1:1 (STREAM_BROKERS)" in told["findings"][0]["found"]
