"""The dead-letter topic as a whole: its records, and which of them were already sent again ("redriven").

`stream dlq redrive` records what it sent as markers on the same topic: records without a key, with the header
`x-dlq-marker` (`done`) and a JSON object as value. Readers that do not know markers see a record
without a reason. A record that is neither a marker nor a dead letter was written by a stranger: it is
reported and skipped. Only workers and these commands may write to the topic: markers of others are believed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from stream.ops.cluster import HeaderPairs, message_headers
from stream.wire import Reason
from stream.worker.kafka.dead_letter import OUR_HEADERS, original_headers

MARKER = "x-dlq-marker"
REDRIVEN_FROM = "x-dlq-redriven-from"
"""Header of a redriven record on its input topic: the id of the dead letter."""
_CONNECT = OUR_HEADERS[0]
_ORIGIN = f"{_CONNECT}topic"
_NUMBER = re.compile(r"-?[0-9]{1,18}")


class DeadLetterRecord(Struct, frozen=True):
    """One rejected input record as the dead-letter topic keeps it: its bytes, its origin, the reason."""

    id: str
    """Topic, partition and offset of the rejected record: `customers.purchases.v1/3/99120`."""
    topic: str
    partition: int
    offset: int
    stage: str
    """The step of the worker that rejected it."""
    reason: str
    """A `Reason` of stream/wire, or the class of an exception."""
    detail: str
    version: str
    """Of the worker that rejected it."""
    at_ms: int
    """When the worker rejected it, by the clock of the worker's machine."""
    key: bytes | None
    value: bytes | None
    headers: HeaderPairs
    """The producer's own headers, without those that the worker added."""
    cut: bool
    """True when the record was too large to be kept whole."""

    @property
    def at(self) -> str:
        """The time of the rejection, ISO 8601 in UTC; its milliseconds where that is no date."""
        try:
            return datetime.fromtimestamp(self.at_ms / 1_000, UTC).isoformat(timespec="seconds")
        except (ValueError, OverflowError, OSError):
            return f"{self.at_ms} ms"


class RedriveMarker(Struct, frozen=True):
    """Which dead letters were sent: it is written in one transaction with them."""

    kind: Literal["done"]
    ids: tuple[str, ...]


class DeadLetterTopic(Struct):
    """Everything that the dead-letter topic holds."""

    letters: dict[str, DeadLetterRecord]
    done: set[str]
    """Ids of the dead letters that were sent again."""
    foreign: list[str] = []
    """Records that are neither dead letters nor markers: where each is, and why."""


class LetterCounts(Struct, frozen=True):
    """What the newest records of the dead-letter topic are, without their contents."""

    open: dict[str, int]
    """Reason -> letters since an instant that were not sent again. A reason that this version does not know
    is `other`."""
    done: set[str]
    """Ids of all letters that were sent again."""
    redriven: int
    """Letters since that instant that were sent again."""
    foreign: list[str]
    """As in DeadLetterTopic."""
    unread: int = 0
    """Older records of the topic that were not looked at."""


def count_letters(messages: Iterable[Message], since_ms: int, unread: int = 0) -> LetterCounts:
    """Count as the records come: none of them is kept. `since_ms`: ms since 1970, exclusive."""
    found, reasons = DeadLetterTopic({}, set()), dict[str, str]()
    for message in messages:
        try:
            _sort(message, found)
        except ForeignRecordError as reason:
            found.foreign.append(f"partition {message.partition()} offset {message.offset()}: {reason}")
        for letter in found.letters.values():
            if letter.at_ms > since_ms:
                reasons[letter.id] = letter.reason if letter.reason in set(Reason) else "other"
        found.letters.clear()
    waiting = Counter(reason for letter, reason in reasons.items() if letter not in found.done)
    return LetterCounts(dict(waiting), found.done, len(reasons) - waiting.total(), found.foreign, unread)


class ForeignRecordError(Exception):
    """A record that neither a worker nor `stream dlq` wrote; the message says why."""


def read_dead_letters(messages: Iterable[Message]) -> DeadLetterTopic:
    """Sort the records of the whole topic; one written twice (after a crash) counts once, by its id."""
    found = DeadLetterTopic({}, set())
    for message in messages:
        try:
            _sort(message, found)
        except ForeignRecordError as reason:
            found.foreign.append(f"partition {message.partition()} offset {message.offset()}: {reason}")
    return found


def _sort(message: Message, found: DeadLetterTopic) -> None:
    """Put one record where it belongs. A dead letter is never a marker, whatever headers its producer set."""
    names = {name for name, _ in message_headers(message)}
    if _ORIGIN in names:
        letter = parse_dead_letter(message)
        found.letters[letter.id] = letter
    elif MARKER in names:
        found.done.update(_parse_marker(message).ids)
    else:
        raise ForeignRecordError("it has no headers of a dead letter")


def _parse_marker(message: Message) -> RedriveMarker:
    if message.key() is not None:
        raise ForeignRecordError("a marker has no key")
    try:
        return msgspec.json.decode(message.value() or b"", type=RedriveMarker)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise ForeignRecordError("its marker cannot be read") from wrong


def parse_dead_letter(message: Message) -> DeadLetterRecord:
    """A record of the dead-letter topic, with the worker's headers and the producer's own separated.

    ForeignRecordError: it does not say which record was rejected.
    """
    pairs: HeaderPairs = message_headers(message)
    ours = {
        name: (text or b"").decode("utf-8", "replace") for name, text in pairs if name.startswith(OUR_HEADERS)
    }
    errors = {name.removeprefix(_CONNECT): text for name, text in ours.items()}
    partition, offset = errors.get("partition", ""), errors.get("offset", "")
    if not (errors.get("topic") and _NUMBER.fullmatch(partition) and _NUMBER.fullmatch(offset)):
        raise ForeignRecordError("it does not say which record was rejected")
    origin = f"{errors['topic']}/{partition}/{offset}"
    return DeadLetterRecord(
        id=ours.get("x-dlq-id", origin),
        topic=errors["topic"],
        partition=int(partition),
        offset=int(offset),
        stage=errors.get("stage", ""),
        reason=ours.get("x-dlq-reason", errors.get("exception.class.name", "")),
        detail=errors.get("exception.message", ""),
        version=ours.get("x-dlq-app-version", ""),
        at_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(original_headers(pairs)),
        cut=any(name.startswith(("x-dlq-truncated-", "x-dlq-dropped-")) for name in ours),
    )
