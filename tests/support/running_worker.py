"""The real `stream worker` as a process, on topics of its own; and what the topics hold afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from stream.config.environment import load_settings
from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.importing.generated.shop import Shop
from stream.model_file import default_model
from stream.policy_file import load_policy
from stream.replay.run import in_order, replay
from stream.wire import STRUCTURED_HEADERS, encode_alert, encode_event, is_broadcast, kind_of, partition_of
from stream.worker.kafka.topics import ROLES, topic_names, topic_plans
from stream.worker.kafka.topics_admin import admin_client, create_topics
from stream.worker.rows.row import MODEL_KEY, StoredRow
from stream.worker.rows.stored import read_row
from tests.faults.verifier import read_all
from tests.support.laws import assert_same_facts

STREAM = Path(sys.executable).with_name("stream")
TIMEOUT_S = 120.0
ALL_ARRIVE = {"enable.idempotence": True, "max.in.flight.requests.per.connection": 1}
"""See docs/decisions/0011."""
NO_LEADER_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError._UNKNOWN_PARTITION,
}
ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+")

SHOP = Shop(seed=5, customers=60)
"""The generated shop of the tests of the worker."""


def shipped_basis() -> Basis:
    """The default policy and model."""
    return Basis(load_policy(None), default_model())


def replayed(events: Iterable[Event]) -> tuple[dict[str, Profile], list[bytes]]:
    """Profiles by customer and alerts as bytes, by replay."""
    run, alerts = replay(events, shipped_basis())
    return run.profiles, [encode_alert(alert) for alert in alerts]


def tick(at: datetime) -> ClockTicked:
    """A tick: every partition gets it, so that their clocks agree."""
    return ClockTicked(id=f"tick-{at:%Y%m%d%H%M}", source="/test", subject="clock", time=at)


class WorkerKafka:
    """Kafka as one worker uses it, its topics and its group; `more` is environment. Each test has its own."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int = 4, **more: str) -> None:
        self.bootstrap, self.partitions = bootstrap, partitions
        self.environment = {
            "STREAM_BROKERS": bootstrap,
            "STREAM_TOPIC_PREFIX": f"{prefix}.",
            "STREAM_APP_ID": prefix,
            "STREAM_PARTITIONS": str(partitions),
            "STREAM_REPLICATION": "1",
            "STREAM_CLOCK": "event",
            "STREAM_HTTP_PORT": "0",
            **{"STREAM_LOG_FORMAT": "json", **more},
        }
        self.settings = load_settings(self.environment)
        self.names = topic_names(self.settings)
        seeing_all = {"isolation.level": "read_uncommitted", "log_level": 0}
        self._reader = Consumer({"bootstrap.servers": bootstrap, "group.id": prefix, **seeing_all})
        self._refused: list[str] = []
        self._producer = Producer({"bootstrap.servers": bootstrap, **ALL_ARRIVE, "log_level": 0})

    def make_topics(self) -> Self:
        client = admin_client(self.settings)
        create_topics(client, topic_plans(self.settings))
        until = time.monotonic() + TIMEOUT_S
        for plan in topic_plans(self.settings):  # a broker may know of fewer partitions for a moment
            while (
                len(client.list_topics(plan.name, timeout=30).topics[plan.name].partitions) < self.partitions
            ):
                assert time.monotonic() < until, f"{plan.name} did not appear"
                time.sleep(0.05)
        return self

    def touch_topics(self) -> WorkerKafka:
        """Create the topics of an embedded broker, which creates a topic when its metadata is requested."""
        for role in ROLES:
            self._producer.list_topics(getattr(self.names, role), timeout=30)
        return self

    def send(self, *events: Event) -> None:
        """Each to its topic and partition in the order given; acknowledged."""
        for event in events:
            topic, key = getattr(self.names, kind_of(event)), event.subject.encode()
            home = partition_of(key, self.partitions)
            for partition in range(self.partitions) if is_broadcast(event) else (home,):
                self.put(topic, key, encode_event(event), partition)
        self.flush()

    def put(self, topic: str, key: bytes | None, value: bytes | None, partition: int) -> None:
        self._producer.produce(
            topic, value, key, partition, on_delivery=self._heard, headers=STRUCTURED_HEADERS
        )
        if len(self._producer) > 50_000:
            self._producer.flush()

    def _heard(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())

    def poll(self) -> None:
        """Let what was put go out."""
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0, "not everything was acknowledged"
        assert not self._refused, f"{len(self._refused)} records were refused, the first: {self._refused[0]}"

    def _places(self) -> list[TopicPartition]:
        return [TopicPartition(topic, at) for topic in self.names.inputs for at in range(self.partitions)]

    def _ends(self, places: list[TopicPartition]) -> dict[tuple[str, int], int]:
        return {(place.topic, place.partition): self._end(place) for place in places}

    def _end(self, place: TopicPartition) -> int:
        """Asked again while the client's idea of the leader is old, as it may be of a new topic."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            try:
                end: int = self._reader.get_watermark_offsets(place, timeout=30)[1]
                return end
            except KafkaException as error:
                if error.args[0].code() not in NO_LEADER_YET or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def sent(self) -> dict[tuple[str, int], int]:
        """The end offset of every input partition."""
        return self._ends(self._places())

    def rows_written(self) -> int:
        """Records of the profiles topic, also those of a transaction that is not ended."""
        places = [TopicPartition(self.names.profiles, at) for at in range(self.partitions)]
        return sum(self._ends(places).values())

    def wait_for_rows(self, worker: WorkerProcess, count: int) -> None:
        """Until so many rows were written, or everything is committed: rows come before their commit."""
        total = sum(self.sent().values())

        def reached() -> bool:
            return self.rows_written() >= count or sum(self.committed().values()) == total

        worker.wait_until(reached, f"{count} rows written")

    def committed(self) -> dict[tuple[str, int], int]:
        """The offsets that the group has committed; empty while its coordinator moves."""
        try:
            found = self._reader.committed(self._places(), 10)
        except KafkaException:
            return {}
        return {(place.topic, place.partition): max(0, place.offset) for place in found}

    def wait_for_commits(self, worker: WorkerProcess, count: int | None = None) -> None:
        """Until so many records are committed, or all there are."""
        ends = self.sent()
        wanted = sum(ends.values()) if count is None else count
        worker.wait_until(lambda: sum(self.committed().values()) >= wanted, f"{wanted} records committed")

    def records(self, role: str) -> list[Message]:
        """The committed records of a topic."""
        return read_all(self.bootstrap, getattr(self.names, role))

    def rows(self) -> dict[str, StoredRow]:
        """The last row of every customer without a tombstone."""
        rows: dict[str, bytes] = {}
        for record in self.records("profiles"):
            if record.key() == MODEL_KEY:
                continue
            if record.value() is None:
                rows.pop(record.key().decode(), None)
            else:
                rows[record.key().decode()] = record.value()
        return {key: read_row(row) for key, row in rows.items()}

    def profiles(self) -> dict[str, Profile]:
        found = {key: row.profile for key, row in sorted(self.rows().items())}
        assert None not in found.values()
        return found  # type: ignore[return-value]

    def alerts(self) -> list[bytes]:
        """Every alert that was sent, in replay's order."""
        bodies = [record.value() for record in self.records("alerts")]
        return sorted(bodies, key=lambda body: in_order(msgspec.json.decode(body, type=Alert)))


class WorkerProcess:
    """One process `stream worker` with its own working directory, killed at the end of its `with` block."""

    command: tuple[str | Path, ...] = (STREAM, "worker")
    added: Mapping[str, str] = {}  # to the environment

    def __init__(self, kafka: WorkerKafka, log: Path, **settings: str) -> None:
        self.log = log
        self.working_directory = log.with_name(f"{log.name}-cwd")
        self.working_directory.mkdir(exist_ok=True)
        more = {f"STREAM_{name.upper()}": value for name, value in settings.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                env={**kept, **self.added, **kafka.environment, **more},
                cwd=self.working_directory,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(30)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until(self, true: Callable[[], object], what: str) -> None:
        until = time.monotonic() + TIMEOUT_S
        while not true():
            assert self.process.poll() is None, (
                f"the worker left: {self.process.returncode}\n{self.log_text()}"
            )
            assert time.monotonic() < until, (
                f"not within {TIMEOUT_S:.0f} s: {what}\n{self.log_text()[-3000:]}"
            )
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def wait_for_exit(self) -> int:
        return self.process.wait(TIMEOUT_S)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an HTTP request to the worker."""
        self.wait_until(lambda: ADDRESS.search(self.log.read_bytes()), "an address in the log")
        found = ADDRESS.search(self.log.read_bytes())
        assert found is not None
        try:
            with urllib.request.urlopen(found[0].decode() + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def metrics(self, name: str) -> dict[str, float]:
        """Labels -> value of one metric."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if not line.startswith("#")]
        found = (line.rpartition(" ") for line in lines if re.match(rf"customer_stream_{name}[{{ ]", line))
        return {left.partition("{")[2].rstrip("}"): float(value) for left, _, value in found}


def first_difference(found: list[bytes], wanted: list[bytes]) -> str:
    """The differences in words; empty when there are none."""
    more = [body.decode() for body in found if body not in set(wanted)]
    less = [body.decode() for body in wanted if body not in set(found)]
    if more or less:
        return f"{len(more)} not predicted, {len(less)} missing; the first of each:\n{more[:1]}\n{less[:1]}"
    return "" if found == wanted else "the same alerts, not equally often"


def assert_same_profiles(found: dict[str, Profile], wanted: dict[str, Profile]) -> None:
    """Facts are equal to 1e-9; judgement and next review exactly."""
    assert found.keys() == wanted.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, wanted[customer])
        assert profile.judgement == wanted[customer].judgement
        assert profile.next_review_ms == wanted[customer].next_review_ms
