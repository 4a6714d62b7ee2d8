"""Reading a cluster as it is: every record up to now, or the newest few; nothing is committed or changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.engine import headers
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.topics_admin import ClusterError, admin_client

Headers = tuple[tuple[str, bytes | None], ...]
TIMEOUT_S = 15.0
SILENCE_S = 30.0
NEW_TOPIC_S = 5.0
_ELECTING = {"NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PART"}


def cluster_settings() -> Settings:
    """The settings, for a command that needs a cluster which outlives it."""
    settings = load_settings()
    if settings.brokers == "embedded":
        raise click.UsageError(
            "STREAM_BROKERS = 'embedded': that broker lives inside its worker; name a real one, host:port"
        )
    return settings


def headers_of(message: Message) -> Headers:
    """None of them when one has a name that is no text."""
    return tuple(headers.headers_of(message))


@contextmanager
def cluster_errors() -> Iterator[None]:
    """Kafka's errors as one readable line and exit code 1."""
    try:
        yield
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(f"Kafka: {error.args[0].str()}") from error


def producer(settings: Settings) -> Producer:
    """Acknowledged by all replicas, never twice, and on the partitions Java's clients choose."""
    admin_client(settings)  # a broker that does not answer is told at once
    return Producer(
        {
            **librdkafka_settings(settings),
            "acks": "all",
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 20,
            "message.max.bytes": 2_097_152,
            "log_level": 0,
        }
    )


def partition_count(client: Producer, topic: str) -> int:
    """Of a topic that must be there; one made a moment ago takes a while until every broker knows it."""
    until = time.monotonic() + NEW_TOPIC_S
    while time.monotonic() < until:
        listed = client.list_topics(timeout=15).topics
        if topic in listed and listed[topic].partitions:
            return len(listed[topic].partitions)
        time.sleep(0.2)
    raise click.ClickException(f"{topic}: no such topic; run `stream topics apply`")


@contextmanager
def reader(settings: Settings) -> Iterator[Consumer]:
    """A consumer outside of any group's work: it is given its partitions and commits nothing."""
    consumer = Consumer(
        {
            **librdkafka_settings(settings),
            "group.id": f"{settings.app_id}-tools",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """The partition numbers of a topic; none when it does not exist."""
    listed = consumer.list_topics(timeout=TIMEOUT_S).topics.get(topic)
    return sorted(listed.partitions) if listed is not None else []


def bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """The first offset that is there, and the one that will be written next."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_S)
        except KafkaException as error:  # its leader is being elected: a new topic, a broker restarting
            if not error.args[0].retriable() and error.args[0].name() not in _ELECTING:
                raise
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return low, high


def records(consumer: Consumer, starts: dict[tuple[str, int], int]) -> Iterator[Message]:
    """Every record from these offsets up to the end as it is now, partition by partition interleaved."""
    ends = {}
    for (topic, partition), start in starts.items():
        low, high = bounds(consumer, topic, partition)
        if max(low, start) < high:
            ends[topic, partition] = high
    consumer.assign([TopicPartition(*where, starts[where]) for where in ends])
    heard = time.monotonic()
    while ends:
        for message in consumer.consume(1_000, timeout=0.5):
            heard = time.monotonic()
            where = (message.topic(), message.partition())
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if where in ends and (error is not None or message.offset() >= ends[where] - 1):
                inside = error is None and message.offset() < ends[where]
                del ends[where]
                if inside:
                    yield message
            elif error is None and where in ends:
                yield message
        if time.monotonic() - heard > SILENCE_S:
            raise ClusterError(f"no record came for {SILENCE_S:.0f} s while reading {sorted(ends)}")
    consumer.unassign()


def newest(consumer: Consumer, topic: str, count: int) -> list[Message]:
    """The last `count` records of each partition."""
    starts = {}
    for partition in partitions_of(consumer, topic):
        low, high = bounds(consumer, topic, partition)
        starts[topic, partition] = max(low, high - count)
    return list(records(consumer, starts))


def from_start(consumer: Consumer, topic: str) -> Iterator[Message]:
    """A whole topic."""
    return records(consumer, {(topic, partition): 0 for partition in partitions_of(consumer, topic)})
