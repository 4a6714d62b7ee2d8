"""A Kafka broker inside this process: librdkafka's mock cluster. For trials, the demo and tests only.

It speaks the real protocol on a port of the loopback interface, so the worker runs on it unchanged. It
differs from a real broker: everything is in memory and gone at the end; topics appear when first used, with
4 partitions; there is no compaction, no access control, and topics cannot be created, altered or described.
Each partition keeps its last RETAINED_BYTES or RETAINED_RECORDS and drops older records silently, so a
producer must not be further ahead of the readers than that.
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
    """Runs from `start` to `close`, or for the length of a `with` block."""

    partitions = PARTITIONS

    def __init__(self) -> None:
        self._cluster: Producer | None = None
        self.bootstrap = ""

    def start(self) -> str:
        """Start the broker; returns its address, host:port."""
        self._cluster = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=START_TIMEOUT_S).brokers
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())
        return self.bootstrap

    def create(self, *topics: str) -> None:
        """Create topics: the mock cluster creates a topic when its metadata is requested."""
        assert self._cluster is not None, "start the broker first"
        for topic in topics:
            self._cluster.list_topics(topic, timeout=START_TIMEOUT_S)

    def close(self) -> None:
        """Stop the broker and lose everything in it."""
        self._cluster = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
