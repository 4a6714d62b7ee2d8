"""Invalid records through the real worker: each becomes one explained dead letter; good events go on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from confluent_kafka import Message, Producer

from stream.wire import STRUCTURED_HEADERS, encode_event, kind_of, partition_of
from stream.worker.kafka.dead_letter import COPY_BYTES_MAX, original_headers
from tests.support.laws import assert_same_facts
from tests.support.poison import HARMLESS, HUGE, KEY, PARTITION_COUNT, POISON, Poison
from tests.support.running_worker import ALL_ARRIVE, WorkerKafka, WorkerProcess, replayed

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

GUARANTEES = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
SMALL = [poison for poison in POISON if poison not in HUGE]


@dataclass
class Sent:
    """A poisoned record and where the broker put it."""

    poison: Poison
    topic: str = ""
    where: str = ""

    def acknowledged(self, error: object, message: Message) -> None:
        assert error is None, error
        self.topic, self.where = (
            message.topic(),
            f"{message.topic()}/{message.partition()}/{message.offset()}",
        )


class Poisoner:
    """Sends good and bad records in the order given, as any producer might."""

    def __init__(self, kafka: WorkerKafka) -> None:
        self.kafka = kafka
        self.sent: list[Sent] = []
        how = {"compression.type": "lz4", "message.max.bytes": 10_000_000, "log_level": 0}
        self._producer = Producer(
            {
                "bootstrap.servers": kafka.bootstrap,
                **ALL_ARRIVE,
                **how,
            }  # in order, also when retried
        )

    def bad(self, poison: Poison) -> None:
        home = partition_of(poison.key, PARTITION_COUNT) if poison.key else 0
        sent = Sent(poison)
        self.sent.append(sent)
        self._produce(
            getattr(self.kafka.names, poison.topic_kind), poison.value, poison.key,
            home if poison.partition is None else poison.partition,
            headers=poison.headers, on_delivery=sent.acknowledged,
        )  # fmt: skip

    def good(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._produce(topic, value, key, partition_of(key, PARTITION_COUNT), headers=headers)

    def _produce(self, *record: object, **how: object) -> None:
        self._producer.produce(*record, **how)
        if len(self._producer) > 50_000:
            self._producer.flush()

    def flush(self) -> None:
        assert self._producer.flush(60) == 0


def send_all(kafka: WorkerKafka, history, every: int, random: Random) -> Poisoner:
    """Every poison once, then one bad record for `every` good ones, then the harmless oddities."""
    poisoner = Poisoner(kafka)
    for poison in POISON:
        poisoner.bad(poison)
    for number, event in enumerate(history[:-1]):
        topic, key = getattr(kafka.names, kind_of(event)), event.subject.encode()
        poisoner.good(topic, key, encode_event(event), STRUCTURED_HEADERS)
        if number % every == 0:
            poisoner.bad(random.choice(SMALL))
    for number, (_, value, headers) in enumerate(HARMLESS):
        unique = value.replace(b"01J8ZK3", b"h%d" % number)
        named = [(name, b"h%d" % number if name == "ce_id" else text) for name, text in headers]
        poisoner.good(kafka.names.purchases, KEY, unique, named)
    poisoner.flush()
    return poisoner


def assert_explained(letter: Message, sent: Sent) -> None:
    """The record is unchanged, and its headers are those of Kafka Connect."""
    headers = dict(letter.headers())
    topic, partition, offset = sent.where.rsplit("/", 2)
    reason = str(sent.poison.reason).encode()
    assert headers["__connect.errors.topic"] == topic.encode()
    assert headers["__connect.errors.partition"] == partition.encode()
    assert headers["__connect.errors.offset"] == offset.encode()
    assert headers["__connect.errors.exception.class.name"] == headers["x-dlq-reason"] == reason
    assert {"__connect.errors.stage", "__connect.errors.exception.message"} <= headers.keys()
    assert original_headers(letter.headers()) == sent.poison.headers
    assert letter.key() == sent.poison.key
    value = sent.poison.value
    if value is not None and len(value) > COPY_BYTES_MAX:
        assert headers["x-dlq-truncated-value-bytes"] == str(len(value)).encode()
        assert letter.value() == value[: len(letter.value())]
    else:
        assert letter.value() == value


@GUARANTEES
@pytest.mark.parametrize("every", [1_000, 1], ids=["one in a thousand", "every other record"])
def test_each_bad_record_becomes_a_dead_letter_and_good_events_go_on(
    new_kafka, history, tmp_path, guarantee, every
):
    kafka = new_kafka(PARTITION_COUNT)
    poisoner = send_all(kafka, history, every, Random(guarantee))
    how = {"guarantee": guarantee, "clock": "wall", "deadletter_window": "0"}

    with WorkerProcess(kafka, tmp_path / "log", **how) as worker:
        kafka.wait_for_commits(worker)
        counted = {what: count for what, count in worker.metrics("dead_letters_total").items() if count}
        assert worker.stop() == 0

    letters = {dict(letter.headers())["x-dlq-id"].decode(): letter for letter in kafka.records("deadletter")}
    assert len(kafka.records("deadletter")) == len(poisoner.sent)
    assert letters.keys() == {sent.where for sent in poisoner.sent}
    for sent in poisoner.sent:
        assert_explained(letters[sent.where], sent)
    wanted = Counter((sent.topic, str(sent.poison.reason)) for sent in poisoner.sent)
    assert counted == {f'reason="{why}",topic="{topic}"': count for (topic, why), count in wanted.items()}
    assert_good_went_on(kafka, history)


def assert_good_went_on(kafka: WorkerKafka, history) -> None:
    profiles, found = replayed(history[:-1])[0], kafka.profiles()
    odd = found.pop(KEY.decode())
    assert odd.events == len(HARMLESS)
    assert found.keys() == profiles.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, profiles[customer])


@GUARANTEES
def test_a_kill_loses_no_dead_letter(new_kafka, history, tmp_path, guarantee):
    kafka = new_kafka(PARTITION_COUNT)
    poisoner = send_all(kafka, history, 2, Random(guarantee))
    how = {
        "guarantee": guarantee, "clock": "wall", "deadletter_window": "0", "flush_interval_ms": "10",
        "instance_id": "worker-0",
    }  # fmt: skip

    with WorkerProcess(kafka, tmp_path / "killed", **how) as worker:
        kafka.wait_for_rows(worker, 1)
        worker.kill()
    with WorkerProcess(kafka, tmp_path / "log", **how) as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    ids = Counter(dict(letter.headers())["x-dlq-id"].decode() for letter in kafka.records("deadletter"))
    assert ids.keys() == {sent.where for sent in poisoner.sent}
    if guarantee == "exactly_once":
        assert set(ids.values()) == {1}
    assert_good_went_on(kafka, history)


@GUARANTEES
def test_too_many_dead_letters_stop_the_worker_before_it_commits_them(new_kafka, tmp_path, guarantee):
    kafka = new_kafka(PARTITION_COUNT)
    poisoner = Poisoner(kafka)
    for number in range(60):
        poisoner.bad(Poison(f"{number}", SMALL[0].reason, b"no event %d" % number, key=b"c%d" % number))
    poisoner.flush()
    how = {"guarantee": guarantee, "instance_id": "worker-0"}
    limit = {"deadletter_count_max": "10", "deadletter_window": "100"}

    with WorkerProcess(kafka, tmp_path / "stopped", **how, **limit) as worker:
        assert worker.wait_for_exit() == 76
        last = worker.log_text().splitlines()[-1]
    committed = sum(kafka.committed().values())
    with WorkerProcess(kafka, tmp_path / "log", **how, deadletter_window="0") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    assert "records were rejected; the limit is 10 and 50% (STREAM_DEADLETTER_*)" in last
    assert committed < 60
    ids = Counter(dict(letter.headers())["x-dlq-id"].decode() for letter in kafka.records("deadletter"))
    assert ids.keys() == {sent.where for sent in poisoner.sent}
    if guarantee == "exactly_once":
        assert set(ids.values()) == {1}
