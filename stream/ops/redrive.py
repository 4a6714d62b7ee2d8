"""Dead letters go back to their topics, each exactly once, whatever interrupts it.

Before a batch is sent an intent is on the dead-letter topic, afterwards a done. A run that finds an intent
without its done reads the input topics from the ends named there: what arrived carries the letter's id in a
header and is not sent again. Do not run two at a time; even then an event counts once, by its id.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import cast

import msgspec
from confluent_kafka import Consumer, Producer
from msgspec import Struct

from stream.ops.cluster import Headers, bounds, headers_of, partitions_of, records
from stream.ops.dead_letters import MARKER, REDRIVEN_FROM, Letter, Letterbox, Marker
from stream.ops.send import FLUSH_S, Record, Tally, put
from stream.wire import Rejected, TopicKind, Unknown, decode, decode_line, kind_of
from stream.worker.kafka.topics import INPUTS, TopicNames
from stream.worker.kafka.topics_admin import ClusterError

BATCH = 500


class Way(Struct, frozen=True):
    """Where a letter can go now, or why it cannot."""

    letter: Letter
    topic: str = ""
    key: bytes | None = None
    obstacle: str = ""


class Outcome(Struct):
    """What came of a run."""

    sent: int = 0
    found_sent: int = 0
    """Sent by an earlier run that could not say so."""
    refused: int = 0


def way(letter: Letter, names: TopicNames, repair: bool) -> Way:
    """Judge a letter by this version of the program; `repair` takes key and topic from the event itself."""
    kinds = {getattr(names, role): cast(TopicKind, role) for role in INPUTS}
    if letter.cut:
        return Way(letter, obstacle="only a part of it was kept: it was too large")
    if letter.topic not in kinds:
        return Way(letter, obstacle=f"{letter.topic} is none of this shop's input topics")
    now_ms = int(time.time() * 1_000)
    decoded = decode(kinds[letter.topic], letter.key, letter.value, letter.headers, now_ms=now_ms)
    if isinstance(decoded, Rejected) and repair and letter.value is not None:
        event = decode_line(letter.value, now_ms=now_ms)
        if not isinstance(event, Rejected | Unknown):
            return Way(letter, getattr(names, kind_of(event)), event.subject.encode())
    if isinstance(decoded, Rejected):
        return Way(letter, obstacle=f"{decoded.reason}: {decoded.detail}")
    if isinstance(decoded, Unknown):
        return Way(letter, obstacle=f"unknown type {decoded.type!r}")
    return Way(letter, letter.topic, letter.key)


def redrive(
    consumer: Consumer, producer: Producer, names: TopicNames, box: Letterbox, ways: Iterable[Way]
) -> Outcome:
    """Send each letter that has a way and was not yet sent; the outcome counts them."""
    outcome = Outcome()
    found = already_sent(consumer, box)
    outcome.found_sent = len(found)
    if found:
        _mark(producer, names, Marker("done", tuple(sorted(found))))
    gone = box.done | found
    todo = iter([each for each in ways if not each.obstacle and each.letter.id not in gone])
    while batch := list(islice(todo, BATCH)):
        ids = tuple(each.letter.id for each in batch)
        _mark(producer, names, Marker("intent", ids, _ends(consumer, {each.topic for each in batch})))
        tally = Tally()
        for each in batch:
            put(
                producer,
                tally,
                Record(each.topic, each.letter.value, each.key, headers=_headers(each.letter)),
            )
        unsent = producer.flush(FLUSH_S)
        outcome.sent += sum(tally.acknowledged.values())
        outcome.refused += sum(tally.refused.values()) + unsent
        if tally.refused or unsent:
            return outcome  # the intent stays open: the next run finds out which arrived
        _mark(producer, names, Marker("done", ids))
    return outcome


def already_sent(consumer: Consumer, box: Letterbox) -> set[str]:
    """Letters that lie on an input topic although no run could say so."""
    starts: dict[tuple[str, int], int] = {}
    open_ids: set[str] = set()
    for intent in box.open_intents:
        open_ids.update(intent.ids)
        for topic, ends in intent.ends.items():
            for partition, end in ends.items():
                starts[topic, partition] = min(end, starts.get((topic, partition), end))
    arrived = {
        (text or b"").decode("utf-8", "replace")
        for message in (records(consumer, starts) if starts else ())
        for name, text in headers_of(message)
        if name == REDRIVEN_FROM
    }
    return (arrived & open_ids) - box.done


def selected(
    box: Letterbox, ids: Iterable[str], reason: str | None, since_ms: int | None
) -> Iterator[Letter]:
    """Letters by id, reason and time, oldest first; ids that are not there are an error."""
    wanted = set(ids)
    if missing := wanted - set(box.letters):
        raise ClusterError(f"no such dead letter: {', '.join(sorted(missing))}")
    for letter in sorted(box.letters.values(), key=lambda letter: (letter.at_ms, letter.id)):
        if (
            (not wanted or letter.id in wanted)
            and (reason is None or letter.reason == reason)
            and (since_ms is None or letter.at_ms >= since_ms)
        ):
            yield letter


def _headers(letter: Letter) -> Headers:
    return (*letter.headers, (REDRIVEN_FROM, letter.id.encode()))


def _ends(consumer: Consumer, topics: set[str]) -> dict[str, dict[int, int]]:
    return {
        topic: {number: bounds(consumer, topic, number)[1] for number in partitions_of(consumer, topic)}
        for topic in sorted(topics)
    }


def _mark(producer: Producer, names: TopicNames, marker: Marker) -> None:
    """On the topic before anything else happens."""
    tally = Tally()
    headers = ((MARKER, marker.kind.encode()),)
    put(producer, tally, Record(names.deadletter, msgspec.json.encode(marker), None, 0, headers=headers))
    if producer.flush(FLUSH_S) or tally.refused:
        raise ClusterError(f"{names.deadletter}: the marker could not be written; nothing more was sent")
