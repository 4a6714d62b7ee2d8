"""Recorded events: JSON lines of one or several files in order of event time; the rest is told apart.

Ties keep the order of topics (purchases first), then of files and lines: the same rule as the worker's merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream.core.events.event import EVENT_TYPES, Event, ModelPublished
from stream.core.model.record import ModelError, decode_model
from stream.recording.event_file import lines_of
from stream.wire import Reason, Rejected, Unknown, decode_line

TOPIC_RANK: dict[str, int] = {
    str(event_type.__struct_config__.tag): rank
    for rank, types in enumerate(EVENT_TYPES.values())
    for event_type in types
}


class Refusal(NamedTuple):
    """A line that is no event: where it stands, and why."""

    path: Path
    line: int
    reason: str
    detail: str


class _Head(msgspec.Struct):
    type: str
    time: datetime


_HEAD = msgspec.json.Decoder(_Head)


def usable(outcome: Event | Unknown | Rejected) -> Event | Unknown | Rejected:
    """As it is, but for a published model that nobody can judge by: the worker sets it aside as well."""
    if isinstance(outcome, ModelPublished):
        try:
            decode_model(outcome.data.model)
        except ModelError as error:
            return Rejected(Reason.SCHEMA, str(error))
    return outcome


class Recording:
    """The lines of some files, to be read in time order; `refused` and `unknown` are known after reading."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self.refused: list[Refusal] = []
        self.unknown = 0
        self._lines: list[tuple[float, int, Path, int, bytes | Event]] = self._load(paths)

    @classmethod
    def of(cls, records: Iterable[tuple[str, int, Event | Unknown | Rejected]]) -> Recording:
        """Records that were decoded already, each with where it stood (a topic's partition, an offset)."""
        recording = cls()
        for place, number, outcome in records:
            if isinstance(outcome, Event):
                rank = TOPIC_RANK[str(type(outcome).__struct_config__.tag)]
                at = outcome.time.timestamp()
                recording._lines.append((at, rank, Path(place), number, outcome))
            else:
                recording._set_aside(outcome, Path(place), number)
        recording._lines.sort(key=lambda entry: entry[:2])
        return recording

    def __len__(self) -> int:
        return len(self._lines)

    def events(self) -> Iterator[Event]:
        """Every event, decoded strictly."""
        for _, _, path, number, line in self._lines:
            event = usable(decode_line(line) if isinstance(line, bytes) else line)
            if isinstance(event, Event):
                yield event
            else:
                self._set_aside(event, path, number)

    def _load(self, paths: Sequence[Path]) -> list[tuple[float, int, Path, int, bytes | Event]]:
        lines: list[tuple[float, int, Path, int, bytes | Event]] = []
        for path in paths:
            for number, line in lines_of(path):
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
            self.refused.append(Refusal(path, number, str(outcome.reason), outcome.detail))
        elif isinstance(outcome, Unknown):
            self.unknown += 1
        else:
            self.refused.append(Refusal(path, number, "schema", "the envelope has no usable time"))
