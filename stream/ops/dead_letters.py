"""The dead-letter topic read as a whole: letters, and what was already done about them.

Redriving leaves markers on the same topic: records without a key whose header `x-dlq-marker` says `intent`
or `done`. What a marker says is a JSON object; readers that do not know it see a record without a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from stream.ops.cluster import Headers, headers_of

MARKER = "x-dlq-marker"
REDRIVEN_FROM = "x-dlq-redriven-from"
_OURS = ("__connect.errors.", "x-dlq-")


class Letter(Struct, frozen=True):
    """One record that could not be an event: as it was, where it was, and why it is here."""

    id: str
    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    detail: str
    version: str
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    """The producer's own ones."""
    cut: bool

    @property
    def at(self) -> str:
        return datetime.fromtimestamp(self.at_ms / 1_000, UTC).isoformat(timespec="seconds")


class Marker(Struct, frozen=True):
    """What a run was about to do (`intent`), or has done.

    An intent names the end of every input partition at that time: whatever of it was sent lies behind.
    """

    kind: Literal["intent", "done"]
    ids: tuple[str, ...]
    ends: dict[str, dict[int, int]] = {}


class Letterbox(Struct):
    """Everything on the topic."""

    letters: dict[str, Letter]
    done: set[str]
    open_intents: list[Marker]
    """Runs that ended before they could say what they had done."""


def letterbox(messages: Iterable[Message]) -> Letterbox:
    """Sort a whole topic's records; a letter written twice (after a crash) is one letter."""
    letters: dict[str, Letter] = {}
    done: set[str] = set()
    intents: list[Marker] = []
    for message in messages:
        headers = dict(headers_of(message))
        if MARKER in headers:
            marker = msgspec.json.decode(message.value(), type=Marker)
            if marker.kind == "done":
                done.update(marker.ids)
            else:
                intents.append(marker)
        elif "__connect.errors.topic" in headers:
            letter = letter_of(message)
            letters[letter.id] = letter
    return Letterbox(letters, done, [intent for intent in intents if not done.issuperset(intent.ids)])


def letter_of(message: Message) -> Letter:
    """A record of the dead-letter topic, its headers taken apart."""
    pairs: Headers = headers_of(message)
    told = {name: (text or b"").decode("utf-8", "replace") for name, text in pairs if name.startswith(_OURS)}
    errors = {name.removeprefix(_OURS[0]): text for name, text in told.items()}
    where = f"{errors['topic']}/{errors['partition']}/{errors['offset']}"
    return Letter(
        id=told.get("x-dlq-id", where),
        topic=errors["topic"],
        partition=int(errors["partition"]),
        offset=int(errors["offset"]),
        stage=errors.get("stage", ""),
        reason=told.get("x-dlq-reason", errors.get("exception.class.name", "")),
        detail=errors.get("exception.message", ""),
        version=told.get("x-dlq-app-version", ""),
        at_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(pair for pair in pairs if not pair[0].startswith(_OURS)),
        cut=any(name.startswith(("x-dlq-truncated-", "x-dlq-dropped-")) for name in told),
    )
