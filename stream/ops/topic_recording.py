"""The input topics as a recording: every event of a span of event time, once, in order of time."""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import Consumer, Message

from stream.config.settings import Settings
from stream.core.events.event import ClockTicked, Event, ModelPublished
from stream.ops.cluster import headers_of, partitions_of, reader, records
from stream.recording.recording import Recording
from stream.wire import Rejected, Unknown, decode
from stream.worker.kafka.topics import INPUTS, TopicNames, topic_names

Told = tuple[str, int, Event | Unknown | Rejected]


def recorded_topics(settings: Settings, from_ms: int | None, to_ms: int | None) -> Recording:
    """What the four input topics hold from `from_ms` to `to_ms`, both included, as it is now."""
    topics = topic_names(settings)
    with reader(settings) as consumer:
        return Recording.of(within(told(consumer, topics), from_ms, to_ms))


def told(consumer: Consumer, topics: TopicNames) -> Iterator[Told]:
    """Every record decoded as the worker does; what went to every partition is told once."""
    seen: set[tuple[str, str]] = set()
    for role in INPUTS:
        topic = getattr(topics, role)
        partitions = partitions_of(consumer, topic)
        for message in records(consumer, {(topic, partition): 0 for partition in partitions}):
            outcome = decode(role, message.key(), message.value(), headers_of(message))  # type: ignore[arg-type]
            if isinstance(outcome, ClockTicked | ModelPublished):
                identity = (outcome.source, outcome.id)
                if identity in seen:
                    continue
                seen.add(identity)
            yield _place(message), message.offset() or 0, outcome


def within(records: Iterator[Told], from_ms: int | None, to_ms: int | None) -> Iterator[Told]:
    """Events of the span; what is no event has no time and is kept, to be told of."""
    for place, number, outcome in records:
        at_ms = outcome.time_ms if isinstance(outcome, Event) else None
        if at_ms is None or ((from_ms is None or at_ms >= from_ms) and (to_ms is None or at_ms <= to_ms)):
            yield place, number, outcome


def _place(message: Message) -> str:
    return f"{message.topic()}-{message.partition()}"
