"""The way out: rows and records to Kafka by librdkafka, and the proof that they arrived.

At least once: an idempotent producer; `deliver` returns when everything was acknowledged, or raises. Exactly
once: the same inside a transaction that also carries the offsets; the broker fences whoever is not the owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from stream.engine.failure import EngineError, Exit
from stream.engine.lane import Outgoing
from stream.engine.options import EngineOptions

MS = 1000
QUEUE_WAIT_S = 0.1
QUERY_TIMEOUT_S = 30


class Sender:
    """One librdkafka producer. What is queued between two `deliver` calls is one flush."""

    def __init__(self, options: EngineOptions, name: str) -> None:
        self._delivery_timeout_s = options.delivery_timeout_s
        self._failed: list[KafkaError] = []
        self._fatal: KafkaError | None = None
        self._producer = Producer({**self._settings(options, name), **options.producer})

    def _settings(self, options: EngineOptions, name: str) -> dict[str, Any]:
        return {
            "bootstrap.servers": options.bootstrap,
            "client.id": name,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as Java clients place keys
            "compression.type": "lz4",
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
            "message.timeout.ms": int(options.delivery_timeout_s * MS),
            "delivery.report.only.error": True,
            "on_delivery": self._on_failure,
            "error_cb": self._on_error,
            "log_level": 3,
        }

    def _on_failure(self, error: KafkaError, _message: Message) -> None:
        self._failed.append(error)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = error

    def partition_count(self, topic: str) -> int:
        """0 when there is no such topic. (The embedded broker makes a topic when it is asked for one.)"""
        found = self._producer.list_topics(topic, QUERY_TIMEOUT_S).topics.get(topic)
        return 0 if found is None or found.error is not None else len(found.partitions)

    def write_rows(self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Into one partition of the changelog; None is a tombstone."""
        produce = self._producer.produce
        for key, row in rows:
            try:
                produce(topic, row, key, partition)
            except BufferError:
                self._make_room()
                produce(topic, row, key, partition)

    def write(self, records: Iterable[Outgoing]) -> None:
        for topic, key, value, headers, partition in records:
            place = {} if partition is None else {"partition": partition}
            attached = None if headers is None else list(headers)
            try:
                self._producer.produce(topic, value, key, headers=attached, **place)
            except BufferError:
                self._make_room()
                self._producer.produce(topic, value, key, headers=attached, **place)

    def _make_room(self) -> None:
        self._producer.poll(QUEUE_WAIT_S)
        self._producer.flush(self._delivery_timeout_s)

    def deliver(self) -> None:
        """Blocks until all of this flush is acknowledged (in a thread: it leaves the interpreter alone)."""
        left = self._producer.flush(self._delivery_timeout_s + 5)
        self._raise_failure(left)

    def _raise_failure(self, left: int) -> None:
        if self._fatal is not None:
            code = Exit.FENCED if self._fatal.code() == KafkaError._FENCED else Exit.PRODUCER
            raise EngineError(code, f"the producer failed for good: {self._fatal.str()}")
        if self._failed:
            first, count = self._failed[0], len(self._failed)
            raise EngineError(
                Exit.PRODUCER,
                f"{count} records were not acknowledged, the first: {first.str()}; none is committed",
            )
        if left:
            raise EngineError(
                Exit.PRODUCER, f"{left} records were not acknowledged in {self._delivery_timeout_s:.0f} s"
            )

    def close(self) -> None:
        self._producer.purge()
