"""Sends events from files to their topics: checked, keyed by customer, with event time as record time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import datetime
from pathlib import Path

import msgspec
from confluent_kafka import KafkaError, Message, Producer
from msgspec import Struct

from stream.core.events.event import Event, type_name
from stream.core.facts.seen import SEEN_DAYS
from stream.core.units import DAY_MS
from stream.kafka_causes import in_words
from stream.recording.event_file import numbered_lines
from stream.wire import BROADCAST, STRUCTURED_HEADERS, TOPIC_KIND_OF, Rejected, Unknown, decode_line
from stream.worker.kafka.topics import TopicNames
from stream.worker.kafka.topics_admin import ClusterError

QUEUE_FULL_WAIT_S = 0.5
ACKNOWLEDGED_WITHIN_S, FLUSH_S = 60.0, 65.0
"""How long a record may take to be acknowledged, and how long to wait for the last of them."""
BROADCAST_TYPES = {type_name(event_type) for event_type in BROADCAST}
"""Event types that go to every partition: they are about time and the model, not about one customer."""


class _Address(Struct):
    """What decides where a line goes."""

    type: str
    subject: str
    time: datetime


_decode_address = msgspec.json.Decoder(_Address).decode


class OutgoingRecord(Struct, frozen=True):
    """A record for Kafka. Partition -1: murmur2 of the key decides. Timestamp 0: the time of sending."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int = -1
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = tuple(STRUCTURED_HEADERS)


class EventLine(Struct, frozen=True, gc=False):
    """One line of an event file, decoded."""

    file: Path
    number: int
    text: bytes
    event: Event | Unknown | Rejected

    @property
    def problem(self) -> str:
        """Where the line is and why it cannot be sent; empty when it can."""
        match self.event:
            case Rejected(reason, detail):
                return f"{self.file}:{self.number}: {reason}: {detail}"
            case Unknown(name):
                return f"{self.file}:{self.number}: unknown type {name!r}"
        return ""


class SendCounts:
    """What the brokers have answered so far: records acknowledged by topic, and refused by error text."""

    def __init__(self) -> None:
        self.acknowledged: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.unanswered = 0
        """Of those refused: nobody knows whether Kafka took them."""

    def on_delivery(self, error: KafkaError | None, message: Message) -> None:
        """The producer's delivery callback."""
        if error is not None:
            self.refused[in_words(error)] += 1
            self.unanswered += error.code() == KafkaError._MSG_TIMED_OUT
        else:
            self.acknowledged[message.topic()] += 1


class TimeOrder:
    """How many events come long after later ones of their type and source: customers with many events may no
    longer know whether such an event is a repeat (docs/limits.md, `unsure`)."""

    def __init__(self) -> None:
        self.late = 0
        """Events so far that are more than SEEN_DAYS older than one before them."""
        self._newest_ms: dict[tuple[type, str], int] = {}

    def note(self, event: Event) -> None:
        """The next event that is to be sent."""
        kind, at_ms = (type(event), event.source), event.time_ms
        newest_ms = self._newest_ms.setdefault(kind, at_ms)
        if at_ms > newest_ms:
            self._newest_ms[kind] = at_ms
        self.late += at_ms < newest_ms - SEEN_DAYS * DAY_MS


def produce(producer: Producer, counts: SendCounts, record: OutgoingRecord) -> None:
    """Queue one record, waiting while the producer's queue is full; `counts` learns whether it arrived."""
    topic, value, key, partition = record.topic, record.value, record.key, record.partition
    headers = [*record.headers]
    while True:
        try:
            producer.produce(
                topic, value, key, partition, counts.on_delivery, timestamp=record.timestamp, headers=headers
            )
        except BufferError:
            producer.poll(QUEUE_FULL_WAIT_S)
        else:
            producer.poll(0)
            return


def checked_lines(files: Iterable[Path], now_ms: int | None) -> Iterator[EventLine]:
    """Every line that is not blank, decoded by the worker's own rules."""
    for file in files:
        for number, text in numbered_lines(file):
            yield EventLine(file, number, text, decode_line(text, now_ms=now_ms))


def addressed_records(
    files: Iterable[Path], names: TopicNames, partition_count: int, bad: Set[tuple[Path, int]]
) -> Iterator[OutgoingRecord]:
    """The records of all lines but the bad ones.

    The lines were checked before, so that only type, subject and time are decoded again.
    """
    topics = {event_type: getattr(names, kind) for event_type, kind in TOPIC_KIND_OF.items()}
    for file in files:
        for number, line in numbered_lines(file):
            if (file, number) in bad:
                continue
            address = _decode_address(line)
            key, at_ms = address.subject.encode(), round(address.time.timestamp() * 1_000)
            for partition in range(partition_count) if address.type in BROADCAST_TYPES else (-1,):
                yield OutgoingRecord(topics[address.type], line, key, partition, at_ms)


def send_records(
    producer: Producer, records: Iterable[OutgoingRecord], advance: Callable[[], None]
) -> SendCounts:
    """Send every record and wait for the acknowledgements, also after an interruption (Ctrl-C).

    ClusterError: Kafka has not answered for ACKNOWLEDGED_WITHIN_S; nothing more is sent then.
    """
    counts, left = SendCounts(), 0
    try:
        for record in records:
            if counts.unanswered:
                break
            produce(producer, counts, record)
            advance()
    finally:
        left = producer.flush(FLUSH_S)
    if left or counts.unanswered:
        done = sum(counts.acknowledged.values())
        text = f"Kafka has not answered for {ACKNOWLEDGED_WITHIN_S:.0f} s: {done:,} records are acknowledged"
        raise ClusterError(f"{text}; send the same again, what came before counts once")
    return counts
