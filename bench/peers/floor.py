"""No framework: librdkafka, msgspec, the fold, a changelog of changed rows, commits once these are safe."""

from __future__ import annotations

import time

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from bench.peers.contract import (
    BOOTSTRAP,
    CHANGELOG,
    COMMIT_S,
    FETCH_BACKOFF_MS,
    GROUP,
    TOPICS,
    Counters,
    decoder,
    fold,
    time_ms_of,
)

CONSUMER = {
    "bootstrap.servers": BOOTSTRAP,
    "group.id": GROUP,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "check.crcs": False,
    "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
}
PRODUCER = {"bootstrap.servers": BOOTSTRAP, "compression.type": "lz4", "linger.ms": 20, "acks": "all"}


def run() -> None:
    """Read, fold and flush until SIGTERM.

    Offsets are committed once all rows of their flush are acknowledged; flushes never overlap.
    """
    consumer, producer = Consumer(CONSUMER), Producer(PRODUCER)
    consumer.subscribe(list(TOPICS))
    decode, encode = decoder().decode, msgspec.json.Encoder().encode
    rows: dict[bytes, Counters] = {}
    changed: dict[bytes, int] = {}
    positions: dict[tuple[str, int], int] = {}
    pending: list[TopicPartition] = []
    due = time.monotonic() + COMMIT_S
    while True:
        messages = consumer.consume(10_000, 0.1)
        for message in messages:
            key = message.key()
            row = rows.get(key)
            if row is None:
                row = rows[key] = Counters()
            event = decode(message.value())
            fold(row, event, time_ms_of(event))
            changed[key] = message.partition()
            positions[message.topic(), message.partition()] = message.offset() + 1
        if pending and not len(producer):
            consumer.commit(offsets=pending, asynchronous=True)
            pending = []
        if positions and not pending and (not messages or time.monotonic() >= due):
            for key, partition in changed.items():
                _produce(producer, encode(rows[key]), key, partition)
            changed.clear()
            pending = [TopicPartition(topic, part, offset) for (topic, part), offset in positions.items()]
            positions.clear()
            due = time.monotonic() + COMMIT_S
        producer.poll(0)


def _produce(producer: Producer, value: bytes, key: bytes, partition: int) -> None:
    while True:
        try:
            producer.produce(CHANGELOG, value, key, partition)
            return
        except BufferError:
            producer.poll(0.05)


if __name__ == "__main__":
    run()
