"""Events of files to their topics: checked first, keyed by customer, at their own time, acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import datetime
from pathlib import Path

import msgspec
from confluent_kafka import KafkaError, Message, Producer
from msgspec import Struct

from stream.core.events.event import EVENT_TYPES, ClockTicked, Event, ModelPublished
from stream.recording.event_file import lines_of
from stream.wire import STRUCTURED_HEADERS, Rejected, Unknown, decode_line
from stream.worker.kafka.topics import TopicNames

QUEUE_FULL_WAIT_S = 0.5
FLUSH_S = 60.0
KIND_OF = {str(kind.__struct_config__.tag): topic for topic, kinds in EVENT_TYPES.items() for kind in kinds}
BROADCAST = {str(kind.__struct_config__.tag) for kind in (ClockTicked, ModelPublished)}
"""They go to every partition."""


class _Head(Struct):
    type: str
    subject: str
    time: datetime


_HEAD = msgspec.json.Decoder(_Head).decode


class Record(Struct, frozen=True):
    """What goes to Kafka; partition -1 means where murmur2 puts the key, timestamp 0 means now."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int = -1
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = tuple(STRUCTURED_HEADERS)


class Line(Struct, frozen=True, gc=False):
    """One line of a file, and what it is."""

    file: Path
    number: int
    text: bytes
    event: Event | Unknown | Rejected

    @property
    def problem(self) -> str:
        """Where and why it cannot be sent; empty when it can."""
        match self.event:
            case Rejected(reason, detail):
                return f"{self.file}:{self.number}: {reason}: {detail}"
            case Unknown(name):
                return f"{self.file}:{self.number}: unknown type {name!r}"
        return ""


class Tally:
    """What the brokers have said so far."""

    def __init__(self) -> None:
        self.acknowledged: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def heard(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.refused[error.str()] += 1
        else:
            self.acknowledged[message.topic()] += 1


def put(producer: Producer, tally: Tally, record: Record) -> None:
    """Hand a record over, waiting while the producer's queue is full; `tally` hears what became of it."""
    topic, value, key, partition = record.topic, record.value, record.key, record.partition
    headers = [*record.headers]
    while True:
        try:
            producer.produce(
                topic, value, key, partition, tally.heard, timestamp=record.timestamp, headers=headers
            )
        except BufferError:
            producer.poll(QUEUE_FULL_WAIT_S)
        else:
            producer.poll(0)
            return


def lines(files: Iterable[Path], now_ms: int | None) -> Iterator[Line]:
    """Every line that is not blank, judged as the worker would."""
    for file in files:
        for number, text in lines_of(file):
            yield Line(file, number, text, decode_line(text, now_ms=now_ms))


def addressed(
    files: Iterable[Path], names: TopicNames, partition_count: int, bad: Set[tuple[Path, int]]
) -> Iterator[Record]:
    """The records of lines that were judged before: only their heads are read again."""
    topics = {tag: getattr(names, kind) for tag, kind in KIND_OF.items()}
    for file in files:
        for number, line in lines_of(file):
            if (file, number) in bad:
                continue
            head = _HEAD(line)
            key, at_ms = head.subject.encode(), round(head.time.timestamp() * 1_000)
            for partition in range(partition_count) if head.type in BROADCAST else (-1,):
                yield Record(topics[head.type], line, key, partition, at_ms)


def send(producer: Producer, records: Iterable[Record], advance: Callable[[], None]) -> Tally:
    """Put each record on its topic and wait for every acknowledgement; an interruption waits for them too."""
    tally = Tally()
    try:
        for record in records:
            put(producer, tally, record)
            advance()
    finally:
        producer.flush(FLUSH_S)
    return tally
