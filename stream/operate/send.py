"""Events of files to their topics: checked first, keyed by customer, at their own time, acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer
from msgspec import Struct, structs

from stream.core.event import Event
from stream.replay.event_file import opened
from stream.wire import STRUCTURED_HEADERS, Rejected, Unknown, decode_line, is_broadcast, kind_of
from stream.worker.topics import TopicNames

QUEUE_FULL_WAIT_S = 0.5
FLUSH_S = 60.0


class Record(Struct, frozen=True):
    """What goes to Kafka; partition -1 means where murmur2 puts the key, timestamp 0 means now."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int = -1
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = tuple(STRUCTURED_HEADERS)


class Line(Struct, frozen=True):
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
    fields = structs.asdict(record) | {"headers": list(record.headers)}
    while True:
        try:
            producer.produce(**fields, on_delivery=tally.heard)
        except BufferError:
            producer.poll(QUEUE_FULL_WAIT_S)
        else:
            producer.poll(0)
            return


def lines(files: Iterable[Path], now_ms: int | None) -> Iterator[Line]:
    """Every line that is not blank, judged as the worker would."""
    for file in files:
        with opened(file, "rb") as source:
            for number, text in enumerate(source, 1):
                if text.strip():
                    yield Line(file, number, text.strip(), decode_line(text.strip(), now_ms=now_ms))


def send(
    producer: Producer,
    names: TopicNames,
    partition_count: int,
    good: Iterable[Line],
    advance: Callable[[], None],
) -> Tally:
    """Put each line on its topic and wait for every acknowledgement; an interruption waits for those too."""
    tally = Tally()
    try:
        for line in good:
            assert isinstance(line.event, Event)
            topic = getattr(names, kind_of(line.event))
            every = range(partition_count) if is_broadcast(line.event) else (-1,)
            key, at_ms = line.event.subject.encode(), line.event.time_ms
            for partition in every:
                put(producer, tally, Record(topic, line.text, key, partition, at_ms))
            advance()
    finally:
        producer.flush(FLUSH_S)
    return tally
