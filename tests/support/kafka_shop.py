"""The topics of one test on a real broker, with the command line and a worker pointed at them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner, Result
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
)
from confluent_kafka.admin import AdminClient

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.ops.cluster import bounds, from_start, partitions_of, reader
from stream.ops.dead_letters import REDRIVEN_FROM
from stream.worker.kafka.dead_letter import InputRecord, dead_letter
from stream.worker.kafka.topics import topic_names
from tests.support.poison import as_bytes, purchase

PARTITIONS = 4
READ_LIMIT_S = 120
SETTLED_S = 5


class KafkaShop:
    """Topics with a prefix of their own on the shared broker."""

    consumer: Consumer
    """Reads in the place of a worker, in tests that need none."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.environment = {
            "STREAM_BROKERS": bootstrap,
            "STREAM_TOPIC_PREFIX": f"{prefix}.",
            "STREAM_APP_ID": prefix,
            "STREAM_PARTITIONS": str(PARTITIONS),
            "STREAM_REPLICATION": "1",
        }
        self.settings: Settings = load_settings(self.environment)
        self.names = topic_names(self.settings)
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def run(self, *words: str) -> Result:
        """Run `stream WORDS` in this process."""
        return CliRunner().invoke(main, words, env=self.environment)

    def run_json(self, *words: str) -> tuple[int, dict]:
        """Exit code and JSON report of `stream WORDS --json`."""
        result = self.run(*words, "--json")
        assert result.stdout, result.output
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])

    def all_of(self, role: str) -> list[Message]:
        """Every record of a topic, by its role: purchases, profiles, alerts and so on.

        A transaction that was committed a moment ago is waited for.
        """
        topic = getattr(self.names, role)
        with reader(self.settings) as consumer, reader(self.settings, "read_uncommitted") as written:
            until = time.monotonic() + SETTLED_S
            for number in partitions_of(written, topic):
                end = bounds(written, topic, number)[1]
                while bounds(consumer, topic, number)[1] < end and time.monotonic() < until:
                    time.sleep(0.05)
            return list(from_start(consumer, topic))

    def producer(self) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})


class ShopWithWorker(KafkaShop):
    """A shop whose topics a worker process reads, once it is started."""

    worker: subprocess.Popen[bytes]
    log_file: Path | None = None
    """Where the worker's log goes; None: to that of the tests."""

    def start_worker(self, **more: str) -> None:
        """Start `stream worker`; `more` are further settings, without STREAM_ and in small letters."""
        environment = {
            **os.environ,
            **self.environment,
            "STREAM_HTTP_PORT": "0",
            "STREAM_GUARANTEE": "at_least_once",
            **{f"STREAM_{name.upper()}": value for name, value in more.items()},
        }
        log = self.log_file.open("ab") if self.log_file is not None else None
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker"], env=environment, stderr=log
        )

    def stop_worker(self) -> None:
        """SIGTERM, and after a minute SIGKILL."""
        self.worker.terminate()
        try:
            self.worker.wait(60)
        except subprocess.TimeoutExpired:
            self.worker.kill()


def wait_until_read(shop: ShopWithWorker) -> None:
    """Return once the worker has committed everything that is on the inputs."""
    until = time.monotonic() + READ_LIMIT_S
    unread = {("everything", 0): 1}
    while unread:
        assert shop.worker.poll() is None, f"the worker ended with {shop.worker.returncode}"
        assert time.monotonic() < until, f"not read: {unread}"
        time.sleep(0.5)
        with reader(shop.settings) as consumer:
            ends = {
                (topic, number): bounds(consumer, topic, number)[1]
                for topic in shop.names.inputs
                for number in partitions_of(consumer, topic)
            }
        group = shop.settings.app_id
        answers = shop.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        try:
            parts = answers[group].result(10).topic_partitions
        except KafkaException as error:
            if error.args[0].code() != KafkaError.COORDINATOR_LOAD_IN_PROGRESS:
                raise
            continue  # a broker that has just started reads its groups first
        committed = {(part.topic, part.partition): part.offset for part in parts}
        unread = {place: end for place, end in ends.items() if end > max(committed.get(place, 0), 0)}


def repaired_event(number: int) -> bytes:
    """An event that an older version rejected and this one accepts."""
    return as_bytes(purchase(id=f"e{number}", subject=f"cust-{number}"))


def redriven_ids(shop: KafkaShop, role: str = "purchases") -> list[str]:
    """The ids of the dead letters that were sent again, as an input topic has them."""
    return sorted(dict(message.headers())[REDRIVEN_FROM].decode() for message in shop.all_of(role))


def bury(shop: KafkaShop, offset: int, value: bytes | None, key: bytes | None, **more) -> str:
    """Put a record on the dead-letter topic as the worker does; returns the id of the dead letter."""
    topic = more.pop("topic", shop.names.purchases)
    source = InputRecord(topic, 1, offset, key, value, more.pop("headers", [("traceparent", b"00-1")]))
    letter = dead_letter(source, more.pop("reason", "schema"), "Expected `int` - at `$.data.total_minor`")
    client = shop.producer()
    client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
    assert client.flush(10) == 0
    return letter.id


def bury_many(shop: KafkaShop, count: int) -> list[str]:
    """So many dead letters of purchases that can be sent again; their ids, sorted."""
    client, ids = shop.producer(), []
    for number in range(count):
        key = f"cust-{number}".encode()
        source = InputRecord(shop.names.purchases, 1, number, key, repaired_event(number), [])
        letter = dead_letter(source, "schema", "Expected `int`")
        client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
        client.poll(0)
        ids.append(letter.id)
    assert client.flush(30) == 0
    return sorted(ids)


def inputs_written(shop: KafkaShop) -> int:
    """The number of records on the purchases topic."""
    with reader(shop.settings) as consumer:
        topic = shop.names.purchases
        return sum(bounds(consumer, topic, number)[1] for number in partitions_of(consumer, topic))
