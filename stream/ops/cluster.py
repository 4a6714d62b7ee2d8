"""Connections of the operators' commands: a producer, and a consumer that reads up to the present end.

The consumer joins no group, commits nothing and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import click
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.engine import UnreadBatch, headers
from stream.kafka_causes import in_words
from stream.ops.bounded_reading import stored_records
from stream.ops.send import ACKNOWLEDGED_WITHIN_S
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.topics_admin import ClusterError, connected
from stream.worker.rows.codec import why_unread

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
    except TimeoutError as error:  # of a question to the admin client
        raise click.ClickException(f"Kafka does not answer {error}".rstrip()) from error


def producer(settings: Settings, **more: object) -> Producer:
    """An idempotent producer with acks=all that chooses partitions as Java's clients do (murmur2).

    `more`: further settings of librdkafka.
    """
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
            "message.timeout.ms": round(ACKNOWLEDGED_WITHIN_S * 1_000),
            "log_level": 0,
            **more,
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


class TopicReader(Consumer):  # type: ignore[misc]
    """Asks for topics and offsets; `records` reads them. It commits nothing, so it disturbs no group."""

    settings: Settings


@contextmanager
def reader(settings: Settings, isolation: str = "read_committed") -> Iterator[TopicReader]:
    """A reader of the settings' cluster. ClusterError when no broker answers.

    `isolation` is for `bounds`: with `read_uncommitted` a partition ends behind open transactions.
    """
    connected(settings)
    consumer = TopicReader(
        {
            **librdkafka_settings(settings),
            "group.id": f"{settings.app_id}-tools",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "log_level": 0,
        }
    )
    consumer.settings = settings
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


def records(consumer: TopicReader, starts: dict[tuple[str, int], int]) -> Iterator[Message]:
    """Every record from these offsets (by topic and partition) up to the ends at the time of the call.

    Within a partition they come in order; partitions are interleaved as the broker delivers them. A batch
    that cannot be read comes as one record without key and value (`unread_batch`), and is told on stderr.
    """
    first, ends = {}, {}
    for place, start in starts.items():
        low, high = bounds(consumer, *place)
        if max(low, start) < high:
            first[place], ends[place] = max(low, start), high
    for record in stored_records(consumer.settings, first, ends, SILENCE_S) if ends else ():
        if record.unread is not None:
            text = f"{record.topic()}/{record.partition()}: left out: {why_unread(record.unread).detail}"
            click.echo(text, err=True)
        yield cast(Message, record)  # it has the methods that are used


def unread_batch(message: Message) -> UnreadBatch | None:
    """The batch whose records cannot be read, where a message of `records` stands for them."""
    unread: UnreadBatch | None = getattr(message, "unread", None)
    return unread


def newest(consumer: TopicReader, topic: str, count: int) -> list[Message]:
    """The last `count` records of each partition of a topic."""
    starts = {}
    for partition in partitions_of(consumer, topic):
        low, high = bounds(consumer, topic, partition)
        starts[topic, partition] = max(low, high - count)
    return list(records(consumer, starts))


def from_start(consumer: TopicReader, topic: str) -> Iterator[Message]:
    """Every record that a topic holds now."""
    return records(consumer, {(topic, partition): 0 for partition in partitions_of(consumer, topic)})


def delete_up_to(admin: AdminClient, ends: Mapping[tuple[str, int], int]) -> None:
    """Have Kafka delete all records before these offsets, by topic and partition. ClusterError: it refuses.

    The caller holds the client: without it no answer would come.
    """
    wanted = [TopicPartition(topic, number, end) for (topic, number), end in ends.items()]
    for place, answer in admin.delete_records(wanted, request_timeout=TIMEOUT_S).items():
        try:
            answer.result(2 * TIMEOUT_S)
        except KafkaException as error:
            raise ClusterError(f"{place.topic}/{place.partition}: {in_words(error.args[0])}") from error
        except TimeoutError as error:
            raise ClusterError(f"{place.topic}/{place.partition}: no answer to DeleteRecords") from error
