"""The dead-letter topic as a whole: its records, and which of them were already sent again ("redriven").

`stream dlq redrive` records its progress as markers on the same topic: records without a key, with the header
`x-dlq-marker` (`intent` or `done`) and a JSON object as value. Readers that do not know markers see a record
without a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from stream.ops.cluster import HeaderPairs, message_headers

MARKER = "x-dlq-marker"
REDRIVEN_FROM = "x-dlq-redriven-from"
"""Header of a redriven record on its input topic: the id of the dead letter."""
_OUR_HEADERS = ("__connect.errors.", "x-dlq-")


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
        """The time of the rejection, ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.at_ms / 1_000, UTC).isoformat(timespec="seconds")


class RedriveMarker(Struct, frozen=True):
    """Which dead letters a run is about to send (`intent`) or has sent (`done`).

    An intent holds the end offset of every input partition before the run sent anything: whatever the run
    sent is at or after these offsets.
    """

    kind: Literal["intent", "done"]
    ids: tuple[str, ...]
    ends: dict[str, dict[int, int]] = {}


class DeadLetterTopic(Struct):
    """Everything that the dead-letter topic holds."""

    letters: dict[str, DeadLetterRecord]
    done: set[str]
    """Ids of the dead letters that were sent again."""
    open_intents: list[RedriveMarker]
    """Intents of runs that were interrupted before they wrote their `done`."""


def read_dead_letters(messages: Iterable[Message]) -> DeadLetterTopic:
    """Sort the records of the whole topic; one written twice (after a crash) counts once, by its id."""
    letters: dict[str, DeadLetterRecord] = {}
    done: set[str] = set()
    intents: list[RedriveMarker] = []
    for message in messages:
        headers = dict(message_headers(message))
        if MARKER in headers:
            marker = msgspec.json.decode(message.value(), type=RedriveMarker)
            if marker.kind == "done":
                done.update(marker.ids)
            else:
                intents.append(marker)
        elif "__connect.errors.topic" in headers:
            letter = parse_dead_letter(message)
            letters[letter.id] = letter
    return DeadLetterTopic(letters, done, [intent for intent in intents if not done.issuperset(intent.ids)])


def parse_dead_letter(message: Message) -> DeadLetterRecord:
    """A record of the dead-letter topic, with the worker's headers and the producer's own separated."""
    pairs: HeaderPairs = message_headers(message)
    ours = {
        name: (text or b"").decode("utf-8", "replace")
        for name, text in pairs
        if name.startswith(_OUR_HEADERS)
    }
    errors = {name.removeprefix(_OUR_HEADERS[0]): text for name, text in ours.items()}
    origin = f"{errors['topic']}/{errors['partition']}/{errors['offset']}"
    return DeadLetterRecord(
        id=ours.get("x-dlq-id", origin),
        topic=errors["topic"],
        partition=int(errors["partition"]),
        offset=int(errors["offset"]),
        stage=errors.get("stage", ""),
        reason=ours.get("x-dlq-reason", errors.get("exception.class.name", "")),
        detail=errors.get("exception.message", ""),
        version=ours.get("x-dlq-app-version", ""),
        at_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(pair for pair in pairs if not pair[0].startswith(_OUR_HEADERS)),
        cut=any(name.startswith(("x-dlq-truncated-", "x-dlq-dropped-")) for name in ours),
    )
