"""Creates and fills the topics of the workload on a real broker: lz4, murmur2, record time = event time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.workload import Message
from stream.worker.kafka.topics import CENTURY_MS

INPUTS = ("purchases", "engagement", "feedback")
KEEP = {"retention.ms": "-1", "retention.bytes": "-1", "segment.ms": str(CENTURY_MS)}
"""No record is deleted, and no log segment rolled by event time: see stream/worker/kafka/topics.py."""


ONE_TOPIC = "customers.in-one.v1"
"""All events in order of event time, for peers that cannot merge topics."""


def topic(name: str) -> str:
    return f"customers.{name}.v1"


def make_topics(bootstrap: str, names: Iterable[str], partitions: int = 4, compact: bool = False) -> None:
    """Create topics that delete nothing, and wait until the broker has them."""
    config = KEEP | ({"cleanup.policy": "compact"} if compact else {})
    client = AdminClient({"bootstrap.servers": bootstrap})
    for future in client.create_topics(
        [NewTopic(name, partitions, 1, config=config) for name in names]
    ).values():
        future.result(30)
    time.sleep(0.3)


def drop_topics(bootstrap: str, keep: frozenset[str]) -> None:
    """Delete all topics but `keep` and the broker's own, so that every run starts with the same disk."""
    client = AdminClient({"bootstrap.servers": bootstrap})
    names = [
        name
        for name in client.list_topics(timeout=10).topics
        if name not in keep and not name.startswith("__")
    ]
    if not names:
        return
    for future in client.delete_topics(names).values():
        try:
            future.result(30)
        except KafkaException:
            continue  # deleted already
    time.sleep(0.5)


def producer(bootstrap: str, linger_ms: int = 50) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "linger.ms": linger_ms,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 500_000,
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
            "log_level": 3,
        }
    )


def fill(bootstrap: str, messages: Iterable[Message], into: str = "") -> dict[tuple[str, int], int]:
    """Produce the messages, all of them `into` one topic if it is named; the number of records by topic and
    partition."""
    sender = producer(bootstrap)
    ends: dict[tuple[str, int], int] = {}

    def delivered(error: object, message: object) -> None:
        if error is not None:
            raise RuntimeError(f"the workload could not be produced: {error}")
        place = message.topic(), message.partition()  # type: ignore[attr-defined]
        ends[place] = ends.get(place, 0) + 1

    for stream, key, value, time_ms in messages:
        while True:
            try:
                sender.produce(into or topic(stream), value, key, timestamp=time_ms, on_delivery=delivered)
                break
            except BufferError:
                sender.poll(0.1)
        sender.poll(0)
    sender.flush(60)
    return ends
