"""Recorded events: JSON lines of one or several files, read in order of event time.

Events of the same time keep the order of their topics (purchases first), then of files and lines: the same
rule as the worker's merge of its input topics. Lines that are not events are collected with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream.core.events.event import EVENT_TYPES, Event, ModelPublished, type_name
from stream.core.model.document import ModelError, decode_model
from stream.recording.event_file import numbered_lines
from stream.wire import Reason, Rejected, Unknown, decode_line

TOPIC_RANK: dict[str, int] = {
    type_name(event_type): rank for rank, types in enumerate(EVENT_TYPES.values()) for event_type in types
}


class UnreadableLine(NamedTuple):
    """A line that is not an event: where it is, and what is wrong with it."""

    path: Path
    line: int
    reason: str
    detail: str


class _TypeAndTime(msgspec.Struct):
    type: str
    time: datetime


_HEAD = msgspec.json.Decoder(_TypeAndTime)


def reject_bad_model(outcome: Event | Unknown | Rejected) -> Event | Unknown | Rejected:
    """The outcome, or Rejected for a published model that cannot be used: a dead letter of the worker too."""
    if isinstance(outcome, ModelPublished):
        try:
            decode_model(outcome.data.model)
        except ModelError as error:
            return Rejected(Reason.SCHEMA, str(error))
    return outcome


class Recording:
    """The lines of some files in order of time; `unreadable` and `unknown` are complete after `events()`."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self.unreadable: list[UnreadableLine] = []
        self.unknown = 0
        self._lines: list[tuple[float, int, Path, int, bytes | Event]] = self._load(paths)
        self._before_reading = (len(self.unreadable), self.unknown)

    @classmethod
    def of(cls, records: Iterable[tuple[str, int, Event | Unknown | Rejected]]) -> Recording:
        """A recording of decoded records, each with its place: topic and partition, offset."""
        recording = cls()
        for place, number, outcome in records:
            if isinstance(outcome, Event):
                rank = TOPIC_RANK[type_name(type(outcome))]
                at = outcome.time.timestamp()
                recording._lines.append((at, rank, Path(place), number, outcome))
            else:
                recording._set_aside(outcome, Path(place), number)
        recording._lines.sort(key=lambda entry: entry[:2])
        recording._before_reading = (len(recording.unreadable), recording.unknown)
        return recording

    def __len__(self) -> int:
        return len(self._lines)

    def events(self) -> Iterator[Event]:
        """Every event in order of time, decoded as the worker decodes it; may be read several times."""
        found, self.unknown = self._before_reading
        del self.unreadable[found:]
        for _, _, path, number, line in self._lines:
            event = reject_bad_model(decode_line(line) if isinstance(line, bytes) else line)
            if isinstance(event, Event):
                yield event
            else:
                self._set_aside(event, path, number)

    def _load(self, paths: Sequence[Path]) -> list[tuple[float, int, Path, int, bytes | Event]]:
        lines: list[tuple[float, int, Path, int, bytes | Event]] = []
        for path in paths:
            for number, line in numbered_lines(path):
                try:
                    head = _HEAD.decode(line)
                    at = head.time.timestamp()
                except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
                    self._set_aside(decode_line(line), path, number)
                    continue
                lines.append((at, TOPIC_RANK.get(head.type, 0), path, number, line))
        if any(later[:2] < earlier[:2] for earlier, later in pairwise(lines)):
            lines.sort(key=lambda entry: entry[:2])
        return lines

    def _set_aside(self, outcome: Event | Unknown | Rejected, path: Path, number: int) -> None:
        if isinstance(outcome, Rejected):
            self.unreadable.append(UnreadableLine(path, number, str(outcome.reason), outcome.detail))
        elif isinstance(outcome, Unknown):
            self.unknown += 1
        else:
            self.unreadable.append(UnreadableLine(path, number, "schema", "the envelope has no usable time"))
