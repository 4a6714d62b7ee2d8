"""A Kafka broker inside this process: librdkafka's mock cluster. For trials, the demo and tests only.

It speaks the real protocol on a port of the loopback interface, so the worker runs on it unchanged. It keeps
everything in memory and forgets it at the end; topics appear when first used, with 4 partitions; it has no
compaction, no admin requests (topics cannot be created, altered or described) and no access control.
Of each partition it keeps the last RETAINED_BYTES or RETAINED_RECORDS and drops older ones without a word: a
player must not run ahead of the readers by more than that.
"""

from __future__ import annotations

from types import TracebackType

from confluent_kafka import Producer

PARTITIONS = 4
RETAINED_BYTES = 5 * 1024 * 1024
RETAINED_RECORDS = 100_000
"""Both from librdkafka's rdkafka_mock.c (defaults of a mock partition)."""

START_TIMEOUT_S = 10.0


class EmbeddedBroker:
    """Lives from `start` to `close`, or as long as a `with` block."""

    partitions = PARTITIONS

    def __init__(self) -> None:
        self._cluster: Producer | None = None
        self.bootstrap = ""

    def start(self) -> str:
        """The address, host:port."""
        self._cluster = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=START_TIMEOUT_S).brokers
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())
        return self.bootstrap

    def create(self, *topics: str) -> None:
        """Make topics appear: asking for one by name is what creates it here."""
        assert self._cluster is not None, "start the broker first"
        for topic in topics:
            self._cluster.list_topics(topic, timeout=START_TIMEOUT_S)

    def close(self) -> None:
        """Everything in it is gone."""
        self._cluster = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
