import json
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.ops.cluster import from_start, reader
from stream.worker.kafka.topics import ROLES, topic_names
from tests.support.kafka_broker import Broker

PARTITIONS = 4


class Shop:
    """Topics of one test on the shared broker, and the command line pointed at them."""

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
        return CliRunner().invoke(main, words, env=self.environment)

    def run_json(self, *words: str) -> tuple[int, dict]:
        result = self.run(*words, "--json")
        assert result.stdout, result.output
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])

    def all_of(self, role: str) -> list[Message]:
        with reader(self.settings) as consumer:
            return list(from_start(consumer, getattr(self.names, role)))

    def producer(self) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})


@pytest.fixture
def shop(broker: Broker, prefix: str) -> Iterator[Shop]:
    """All topics as they should be."""
    made = Shop(broker.bootstrap, prefix)
    assert made.run("topics", "apply").exit_code == 0
    names = {getattr(made.names, role) for role in ROLES}
    while not names <= set(made.admin.list_topics(timeout=10).topics):
        time.sleep(0.1)
    yield made
    for answer in made.admin.delete_topics([getattr(made.names, role) for role in ROLES]).values():
        answer.exception(30)
