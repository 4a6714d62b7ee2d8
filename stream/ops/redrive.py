"""Sends dead letters to their topics again, each exactly once, even when a run is interrupted.

Before a batch is sent, an `intent` marker with the ids of the batch goes to the dead-letter topic; afterwards
a `done` marker. A run that finds an intent without its `done` reads the input topics from the end offsets in
that intent: a dead letter that already arrived is recognised by its id in the header x-dlq-redriven-from,
together with the random name of the run, and is not sent again. Two runs at the same time may send a record
twice; the worker counts it once, by its event id.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import cast

import msgspec
from confluent_kafka import Consumer, Message, Producer
from msgspec import Struct

from stream.ops.cluster import HeaderPairs, bounds, message_headers, partitions_of, records
from stream.ops.dead_letters import (
    MARKER,
    REDRIVE_RUN,
    REDRIVEN_FROM,
    DeadLetterRecord,
    DeadLetterTopic,
    RedriveMarker,
)
from stream.ops.send import FLUSH_S, OutgoingRecord, SendCounts, produce
from stream.wire import (
    TOPIC_KIND_OF,
    Decoded,
    Reason,
    Rejected,
    TopicKind,
    Unknown,
    decode,
    decode_line,
    kind_of,
)
from stream.wire.binary import attributes_of, is_binary
from stream.worker.kafka.topics import INPUTS, TopicNames
from stream.worker.kafka.topics_admin import ClusterError

BATCH = 500
"""Dead letters per pair of markers: a few markers for thousands of records."""


class Route(Struct, frozen=True):
    """The topic and key to send a dead letter with, or the obstacle that keeps it where it is."""

    letter: DeadLetterRecord
    topic: str = ""
    key: bytes | None = None
    obstacle: str = ""


class RedriveCounts(Struct):
    """How many dead letters a run sent."""

    sent: int = 0
    found_sent: int = 0
    """Sent by an interrupted run that had not written its `done` marker."""
    refused: int = 0
    """Refused by a broker, or not acknowledged in time."""


def route_of(letter: DeadLetterRecord, names: TopicNames, repair: bool) -> Route:
    """Decide by this version's schemas; `repair` takes a wrong key or topic from the event itself."""
    kinds = {getattr(names, role): cast(TopicKind, role) for role in INPUTS}
    if letter.cut:
        return Route(letter, obstacle="only a part of it was kept: it was too large")
    if letter.topic not in kinds:
        return Route(letter, obstacle=f"{letter.topic} is none of this shop's input topics")
    now_ms = int(time.time() * 1_000)
    decoded = decode(kinds[letter.topic], letter.key, letter.value, letter.headers, now_ms=now_ms)
    if isinstance(decoded, Rejected) and repair:
        decoded = _by_the_event_itself(letter, now_ms)
        if not isinstance(decoded, Rejected | Unknown):
            return Route(letter, getattr(names, kind_of(decoded)), decoded.subject.encode())
    if isinstance(decoded, Rejected):
        return Route(letter, obstacle=f"{decoded.reason}: {decoded.detail}")
    if isinstance(decoded, Unknown):
        return Route(letter, obstacle=f"unknown type {decoded.type!r}")
    return Route(letter, letter.topic, letter.key)


def _by_the_event_itself(letter: DeadLetterRecord, now_ms: int) -> Decoded:
    """The event with the key and on the topic that it names itself, or why it is none even then."""
    binary = is_binary(letter.headers)
    if isinstance(binary, Rejected):
        return binary
    if not binary:
        nothing = Rejected(Reason.NULL_VALUE, "there is no event to take the key and the topic from")
        return nothing if letter.value is None else decode_line(letter.value, now_ms=now_ms)
    attributes = attributes_of(letter.headers)
    if isinstance(attributes, Rejected):
        return attributes
    kind = TOPIC_KIND_OF.get(attributes.type)
    if kind is None:
        return Unknown(attributes.type)
    return decode(kind, attributes.subject.encode(), letter.value, letter.headers, now_ms=now_ms)


def redrive(
    consumer: Consumer, producer: Producer, names: TopicNames, topic: DeadLetterTopic, routes: Iterable[Route]
) -> RedriveCounts:
    """Send every dead letter that has a route and was not sent before."""
    outcome, run = RedriveCounts(), uuid.uuid4().hex
    found = already_sent(consumer, topic, names)
    outcome.found_sent = len(found)
    if found:
        _write_marker(producer, names, RedriveMarker("done", tuple(sorted(found))))
    sent = topic.done | found
    todo = iter([route for route in routes if not route.obstacle and route.letter.id not in sent])
    while batch := list(islice(todo, BATCH)):
        ids = tuple(route.letter.id for route in batch)
        ends = _end_offsets(consumer, {route.topic for route in batch})
        _write_marker(producer, names, RedriveMarker("intent", ids, ends, run))
        counts = SendCounts()
        for route in batch:
            produce(producer, counts, _record(route, run))
        unsent = producer.flush(FLUSH_S)
        outcome.sent += sum(counts.acknowledged.values())
        outcome.refused += sum(counts.refused.values()) + unsent
        if counts.refused or unsent:
            return outcome  # the intent stays open: the next run finds out which records arrived
        _write_marker(producer, names, RedriveMarker("done", ids))
    return outcome


def already_sent(consumer: Consumer, topic: DeadLetterTopic, names: TopicNames) -> set[str]:
    """Ids of dead letters that an interrupted run sent: on an input topic, but without a `done` marker."""
    starts: dict[tuple[str, int], int] = {}
    open_ids: set[tuple[str, str]] = set()
    for intent in topic.open_intents:
        open_ids.update((letter_id, intent.run) for letter_id in intent.ids)
        for input_topic in set(intent.ends).intersection(names.inputs):
            for partition in set(intent.ends[input_topic]).intersection(partitions_of(consumer, input_topic)):
                end = intent.ends[input_topic][partition]
                starts[input_topic, partition] = min(end, starts.get((input_topic, partition), end))
    arrived = {_sent_as(message) for message in (records(consumer, starts) if starts else ())}
    return {letter_id for letter_id, _ in arrived & open_ids} - topic.done


def _sent_as(message: Message) -> tuple[str, str]:
    """Dead letter and run by the last headers of these names: ours come behind the producer's."""
    headers = dict(message_headers(message))
    sent = [(headers.get(name) or b"").decode("utf-8", "replace") for name in (REDRIVEN_FROM, REDRIVE_RUN)]
    return sent[0], sent[1]


def selected_letters(
    topic: DeadLetterTopic, ids: Iterable[str], reason: str | None, since_ms: int | None
) -> Iterator[DeadLetterRecord]:
    """Dead letters that meet every condition, by the time they were set aside, oldest first.

    No `ids`: all of them; None as `reason` or `since_ms` (ms since 1970, inclusive): any. ClusterError,
    before the first is returned, when an id is not on the topic. Letters that were redriven before are
    included.
    """
    wanted = set(ids)
    if missing := wanted - set(topic.letters):
        raise ClusterError(f"no such dead letter: {', '.join(sorted(missing))}")
    for letter in sorted(topic.letters.values(), key=lambda letter: (letter.at_ms, letter.id)):
        if (
            (not wanted or letter.id in wanted)
            and (reason is None or letter.reason == reason)
            and (since_ms is None or letter.at_ms >= since_ms)
        ):
            yield letter


def _record(route: Route, run: str) -> OutgoingRecord:
    letter = route.letter
    ours = ((REDRIVEN_FROM, letter.id.encode()), (REDRIVE_RUN, run.encode()))
    headers: HeaderPairs = (*letter.headers, *ours)
    return OutgoingRecord(route.topic, letter.value, route.key, headers=headers)


def _end_offsets(consumer: Consumer, topics: set[str]) -> dict[str, dict[int, int]]:
    return {
        topic: {number: bounds(consumer, topic, number)[1] for number in partitions_of(consumer, topic)}
        for topic in sorted(topics)
    }


def _write_marker(producer: Producer, names: TopicNames, marker: RedriveMarker) -> None:
    """Note on partition 0 of the dead-letter topic how far a redrive has come, so that another can go on.

    Returns once Kafka has acknowledged it; ClusterError after FLUSH_S seconds, or when Kafka refuses it.
    """
    counts = SendCounts()
    headers = ((MARKER, marker.kind.encode()),)
    value = msgspec.json.encode(marker)
    produce(producer, counts, OutgoingRecord(names.deadletter, value, None, 0, headers=headers))
    if producer.flush(FLUSH_S) or counts.refused:
        raise ClusterError(f"{names.deadletter}: the marker could not be written; nothing more was sent")
