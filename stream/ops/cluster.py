"""Connections of the operators' commands: a producer, and a consumer that reads up to the present end.

The consumer joins no group, commits nothing and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.engine import headers
from stream.kafka_causes import in_words
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.topics_admin import ClusterError, connected

HeaderPairs = tuple[tuple[str, bytes | None], ...]
TIMEOUT_S = 15.0
"""For one request to the cluster."""
SILENCE_S = 30.0
"""A read ends with an error when no record arrives for so long before the end is reached."""
NEW_TOPIC_S = 5.0
"""How long a topic that was created a moment ago may be unknown to some brokers."""
_ELECTING = {"NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PART"}


def cluster_settings() -> Settings:
    """The settings of a command that needs a real cluster; the embedded broker is a usage error."""
    settings = load_settings()
    if settings.brokers == "embedded":
        raise click.UsageError(
            "STREAM_BROKERS = 'embedded': that broker runs inside its worker; name a real one, host:port"
        )
    return settings


def message_headers(message: Message) -> HeaderPairs:
    """The headers as pairs; an empty tuple when the name of one is not valid UTF-8."""
    return tuple(headers.headers_of(message))


@contextmanager
def cluster_errors() -> Iterator[None]:
    """Turn an error of Kafka or of the connection into one line and exit code 1."""
    try:
        yield
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(f"Kafka: {in_words(error.args[0])}") from error


def producer(settings: Settings) -> Producer:
    """An idempotent producer with acks=all that chooses partitions as Java's clients do (murmur2)."""
    connected(settings)
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


def wait_for_partition_count(client: Producer, topic: str) -> int:
    """How many partitions a topic has; waits up to NEW_TOPIC_S for one that was created a moment ago."""
    until = time.monotonic() + NEW_TOPIC_S
    while time.monotonic() < until:
        listed = client.list_topics(timeout=15).topics
        if topic in listed and listed[topic].partitions:
            return len(listed[topic].partitions)
        time.sleep(0.2)
    refuse_hidden(client, topic)
    raise click.ClickException(f"{topic}: no such topic; run `stream topics apply`")


@contextmanager
def reader(settings: Settings) -> Iterator[Consumer]:
    """A consumer that is assigned its partitions by hand and commits nothing, so it disturbs no group.

    ClusterError when no broker answers.
    """
    connected(settings)
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
    """The partition numbers of a topic; none when it does not exist.

    KafkaException when this user may not see it: Kafka leaves such topics out of its list.
    """
    listed = consumer.list_topics(timeout=TIMEOUT_S).topics.get(topic)
    if listed is None:
        refuse_hidden(consumer, topic)
    return sorted(listed.partitions) if listed is not None else []


def refuse_hidden(client: Consumer | Producer, topic: str) -> None:
    """KafkaException when this user may not see a topic; Kafka says so only when it is asked by name."""
    error = client.list_topics(topic, timeout=TIMEOUT_S).topics[topic].error
    if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise KafkaException(error)


def bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """The first offset still stored, and the offset of the next record to be written."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_S)
        except KafkaException as error:  # no leader yet: a new topic, a restarting broker
            if not error.args[0].retriable() and error.args[0].name() not in _ELECTING:
                raise
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return low, high


def records(consumer: Consumer, starts: dict[tuple[str, int], int]) -> Iterator[Message]:
    """Every record from these offsets (by topic and partition) up to the ends at the time of the call.

    Within a partition they come in order; partitions are interleaved as the broker delivers them.
    """
    ends = {}
    for (topic, partition), start in starts.items():
        low, high = bounds(consumer, topic, partition)
        if max(low, start) < high:
            ends[topic, partition] = high
    consumer.assign([TopicPartition(*where, starts[where]) for where in ends])
    last_arrival_s = time.monotonic()
    while ends:
        for message in consumer.consume(1_000, timeout=0.5):
            last_arrival_s = time.monotonic()
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
        if time.monotonic() - last_arrival_s > SILENCE_S:
            raise ClusterError(f"no record arrived for {SILENCE_S:.0f} s while reading {sorted(ends)}")
    consumer.unassign()


def newest(consumer: Consumer, topic: str, count: int) -> list[Message]:
    """The last `count` records of each partition of a topic."""
    starts = {}
    for partition in partitions_of(consumer, topic):
        low, high = bounds(consumer, topic, partition)
        starts[topic, partition] = max(low, high - count)
    return list(records(consumer, starts))


def from_start(consumer: Consumer, topic: str) -> Iterator[Message]:
    """Every record that a topic holds now."""
    return records(consumer, {(topic, partition): 0 for partition in partitions_of(consumer, topic)})
