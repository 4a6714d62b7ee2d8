"""The topics of a running shop, read from given offsets without joining a group. Committed records only.

One thread uses it. Where what was to be read next is not there (deleted before it was read, cut, or of a
topic that was made again under its name), `LostError` says so: the read store is made anew then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from stream.engine.headers import headers_of
from stream.engine.start.topic_ids import id_of
from stream.kafka_causes import in_words, why_hidden
from stream.page.live.record import PageRecord, Read
from stream.page.store.store import Place, ReadUpTo

RECORDS_AT_ONCE = 2_000
TIMEOUT_S = 20.0


class UnreachableError(Exception):
    """The topics cannot be read at present; the text says why."""


class LostError(Exception):
    """What was to be read next is not in the topics; the text says what is."""


class PageTopics:
    """A consumer of all partitions of some topics. Its methods block."""

    def __init__(self, client: Mapping[str, Any], group: str, roles: Mapping[str, Read]) -> None:
        """`client`: the connection settings of librdkafka. `roles`: topic -> what it is for."""
        self._roles = dict(roles)
        self._consumer = Consumer(
            {
                **client,
                "group.id": group,  # librdkafka wants one; nothing is committed and nothing is joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
                "reconnect.backoff.max.ms": 1_000,
                "queued.max.messages.kbytes": 32_768,
                "topic.metadata.refresh.interval.ms": 10_000,
                "log_level": 0,
                "error_cb": lambda _: None,  # the watch tells whether Kafka answers
            }
        )
        self._unfinished: set[Place] = set()
        self._ended: set[Place] = set()
        """Partitions of which the broker had nothing more when it was asked last."""
        self._places: list[TopicPartition] = []

    @property
    def caught_up(self) -> bool:
        """Every partition was read up to its end at some time since `begin`."""
        return not self._unfinished

    def partitions(self) -> dict[str, int]:
        """Topic -> number of partitions. UnreachableError: one is missing, or Kafka does not answer."""
        try:
            listed = self._consumer.list_topics(timeout=TIMEOUT_S).topics
            missing = [topic for topic in self._roles if topic not in listed or not listed[topic].partitions]
            hidden = why_hidden(self._consumer, missing[0], TIMEOUT_S) if missing else ""
        except KafkaException as error:
            raise UnreachableError(f"Kafka does not answer: {in_words(error.args[0])}") from error
        if missing:
            text = f"{', '.join(missing)}: no such topic; run `stream topics apply`"
            raise UnreachableError(hidden or text)
        return {topic: len(listed[topic].partitions) for topic in self._roles}

    def begin(self, known: Mapping[Place, ReadUpTo]) -> None:
        """Read on from these positions, and partitions that are not among them from their beginning.

        LostError, UnreachableError.
        """
        places = [(topic, number) for topic, count in self.partitions().items() for number in range(count)]
        starts = []
        for topic, number in places:
            position = known.get((topic, number))
            if position is not None:
                self._check(topic, number, position.next)
            starts.append(TopicPartition(topic, number, position.next if position else OFFSET_BEGINNING))
        self._places = starts
        self._unfinished, self._ended = set(places), set()
        self._consumer.assign(starts)

    def _check(self, topic: str, number: int, offset: int) -> None:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=TIMEOUT_S)
        except KafkaException as error:
            raise UnreachableError(f"Kafka does not answer: {in_words(error.args[0])}") from error
        if not low <= offset <= high:
            raise LostError(
                f"{topic}/{number} holds offsets {low} to {high}, and {offset} was to be read next"
            )

    def poll(self, wait_s: float) -> list[PageRecord]:
        """The next records; none when nothing came. LostError, UnreachableError."""
        found = []
        for message in self._consumer.consume(RECORDS_AT_ONCE, wait_s):
            error = message.error()
            place = message.topic(), message.partition()
            if error is None:
                self._ended.discard(place)
                found.append(self._record(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(place)
                self._unfinished.discard(place)
            else:
                _raise_for(error)
        return found

    def left(self, topic: str) -> int:
        """Offsets of a topic from where `begin` began to its end. UnreachableError."""
        return sum(self._left(place) for place in self._places if place.topic == topic)

    def _left(self, place: TopicPartition) -> int:
        try:
            low, high = self._consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        except KafkaException as error:
            raise UnreachableError(f"Kafka does not answer: {in_words(error.args[0])}") from error
        return int(high - max(low, place.offset))

    def lag(self) -> dict[str, int]:
        """Topic -> records that were not read yet, as far as this client knows."""
        behind = dict.fromkeys(self._roles, 0)
        for place in self._consumer.position(self._places):
            if (place.topic, place.partition) in self._ended:  # what is left are marks of transactions
                continue
            _, high = self._consumer.get_watermark_offsets(place, cached=True)
            if place.offset >= 0 and high >= 0:
                behind[place.topic] += max(0, high - place.offset)
        return behind

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _record(self, message: Message) -> PageRecord:
        kind, at_ms = message.timestamp()
        return PageRecord(
            self._roles[message.topic()],
            message.topic(),
            message.partition(),
            message.offset(),
            message.key(),
            message.value(),
            tuple(headers_of(message)),
            0 if kind == TIMESTAMP_NOT_AVAILABLE else at_ms,
        )


def _raise_for(error: KafkaError) -> None:
    """An error that does not pass by itself; what passes (a broker that restarts) is left to the client."""
    if error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
        raise LostError(error.str())
    if error.code() in {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }:
        raise UnreachableError(f"a topic is gone: {error.str()}")
    if error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise UnreachableError(f"Kafka: {in_words(error)}")


def topic_ids(client: AdminClient, topics: Iterable[str], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Topic -> Kafka's id of it, where the brokers tell (KIP-516). UnreachableError: no answer."""
    ids = {}
    try:
        asked = client.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
        for topic, reply in asked.items():
            ids[topic] = id_of(reply.result(2 * timeout_s).topic_id)
    except (KafkaException, TimeoutError) as error:
        known = error.args[0] if error.args and isinstance(error.args[0], KafkaError) else None
        raise UnreachableError(f"Kafka does not answer: {in_words(known) if known else error}") from error
    return ids
