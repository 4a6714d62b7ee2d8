"""The input topics as a recording: every event of a span of event time, once, in order of event time."""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import Consumer, Message

from stream.core.events.event import Event
from stream.ops.cluster import (
    cluster_errors,
    cluster_settings,
    message_headers,
    partitions_of,
    reader,
    records,
    unread_batch,
)
from stream.recording.recording import Recording
from stream.wire import BROADCAST, Rejected, Unknown, decode
from stream.worker.kafka.topics import INPUTS, TopicNames, topic_names
from stream.worker.rows.codec import why_unread

DecodedRecord = tuple[str, int, Event | Unknown | Rejected]
"""Topic and partition, offset, and the decoded record."""


def topic_recording(now_ms: int, from_ms: int | None = None, to_ms: int | None = None) -> Recording:
    """The events that the input topics of STREAM_BROKERS hold, from `from_ms` to `to_ms` inclusive.

    What lies after `now_ms` is set aside, as a worker does.
    """
    settings = cluster_settings()
    with cluster_errors(), reader(settings) as consumer:
        records_read = _decoded_records(consumer, topic_names(settings))
        return Recording.of(_within(records_read, from_ms, to_ms), now_ms)


def _decoded_records(consumer: Consumer, topics: TopicNames) -> Iterator[DecodedRecord]:
    """Every record, decoded as the worker does; an event that was sent to every partition comes once."""
    seen: set[tuple[str, str]] = set()
    for role in INPUTS:
        topic = getattr(topics, role)
        partitions = partitions_of(consumer, topic)
        for message in records(consumer, {(topic, partition): 0 for partition in partitions}):
            unread = unread_batch(message)
            if unread is not None:
                yield _place(message), unread.offset, why_unread(unread)
                continue
            outcome = decode(role, message.key(), message.value(), message_headers(message))  # type: ignore[arg-type]
            if isinstance(outcome, BROADCAST):
                identity = (outcome.source, outcome.id)
                if identity in seen:
                    continue
                seen.add(identity)
            yield _place(message), message.offset() or 0, outcome


def _within(
    decoded: Iterator[DecodedRecord], from_ms: int | None, to_ms: int | None
) -> Iterator[DecodedRecord]:
    """Events of the span. Records that are no events have no event time: all are kept, to be reported."""
    for place, offset, outcome in decoded:
        at_ms = outcome.time_ms if isinstance(outcome, Event) else None
        if at_ms is None or ((from_ms is None or at_ms >= from_ms) and (to_ms is None or at_ms <= to_ms)):
            yield place, offset, outcome


def _place(message: Message) -> str:
    return f"{message.topic()}-{message.partition()}"
