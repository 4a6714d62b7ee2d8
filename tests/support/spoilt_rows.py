"""Rows of the profiles topic that cannot be read, and the dead letters of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import json

from stream.core.facts.profile import Profile
from stream.core.step import on_event
from stream.engine.task.batch import Outgoing
from stream.ops.dead_letters import DeadLetterTopic, read_dead_letters
from stream.worker.rows.row import StoredRow
from tests.support.builders import answered, basis, bought
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe


def stored(customer: str = "c", applied: int = 7, outbox: bytes = b"") -> bytes:
    """The row of a customer with some history."""
    profile: Profile | None = None
    for event in (bought(0), bought(3), answered(4, 9)):
        profile = on_event(profile, event, basis()).profile
    not_none(profile).customer = customer
    alerts = [msgspec.Raw(outbox)] if outbox else []
    return json.encode(StoredRow({NAMES.purchases: applied}, alerts, 3 if outbox else 0, [], profile=profile))


SPOILT = {
    "a null where a number must be": lambda row: row.replace(b'"nps":9.0', b'"nps":null'),
    "a text where a number must be": lambda row: row.replace(b'"nps":9.0', b'"nps":"9"'),
    "cut": lambda row: row[:-40],
    "no JSON": lambda row: b"\xff\x00 what is this",
    "an array": lambda row: b"[1,2]",
    "another object": lambda row: b'{"profile":{"name":"who"}}',
    "nested without end": lambda row: b'{"profile":' * 9_000,
    "empty": lambda row: b"",
}


def pipe_with(rows: dict[bytes, bytes]) -> Pipe:
    """A partition whose table was read back with these rows."""
    pipe = Pipe()
    pipe.lane.table.apply_changelog([(key, row, None) for key, row in rows.items()])
    pipe.lane.table.index()
    return pipe


class SentRecord:
    """A record that a lane sends, as it would be read from its topic."""

    def __init__(self, out: Outgoing) -> None:
        self.key, self.value, self.headers = (lambda: out.key), (lambda: out.value), (lambda: out.headers)
        self.timestamp = lambda: (1, 0)


def letters(pipe: Pipe) -> DeadLetterTopic:
    """The dead letters that wait for the next flush."""
    return letters_among(pipe.lane.outgoing)


def letters_among(outgoing: Iterable[Outgoing]) -> DeadLetterTopic:
    sent: list[Any] = [SentRecord(out) for out in outgoing if out.topic == NAMES.deadletter]
    return read_dead_letters(sent)
