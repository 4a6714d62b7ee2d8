"""Recorded events: JSON lines of one or several files, read in order of event time.

Events of one instant (millisecond) come in the order of stream/core/events/order.py, so the order of files
and lines does not matter. Lines that are not events are collected with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from stream.core.events.event import Event, ModelPublished
from stream.core.events.order import instant_order
from stream.core.model.document import ModelError, decode_model
from stream.recording.event_file import numbered_lines
from stream.wire import Reason, Rejected, Unknown, decode_line

MS_PER_S = 1_000


class Progress(Protocol):
    """Displays how far some work is: `what` is done, of `total` things; yields what to call after each."""

    def __call__(self, what: str, total: int | None, /) -> AbstractContextManager[Callable[..., None]]: ...


def not_shown(what: str, total: int | None, /) -> AbstractContextManager[Callable[..., None]]:
    """A Progress that displays nothing."""
    return nullcontext(lambda count=1: None)


class UnreadableLine(NamedTuple):
    """A line that is not an event: where it is, and what is wrong with it."""

    path: Path
    line: int
    reason: str
    detail: str


class _TimeOnly(msgspec.Struct):
    time: datetime


_HEAD = msgspec.json.Decoder(_TimeOnly)


class _Line(NamedTuple):
    """Something recorded, its place, and its time in seconds since 1970."""

    at_s: float
    path: Path
    number: int
    content: bytes | Event


def _instant_ms(line: _Line) -> int:
    """The event's `time_ms`."""
    return round(line.at_s * MS_PER_S)


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

    def __init__(self, paths: Sequence[Path] = (), shown: Progress = not_shown) -> None:
        """`shown` displays how far the reading is."""
        self.unreadable: list[UnreadableLine] = []
        self.unknown = 0
        self.left_out: frozenset[str] = frozenset()
        """Customers whose events are passed over."""
        self._shown = shown
        with shown("reading", None) as advance:
            self._lines = self._load(paths, advance)
        self._before_reading = (len(self.unreadable), self.unknown)

    @classmethod
    def of(cls, records: Iterable[tuple[str, int, Event | Unknown | Rejected]]) -> Recording:
        """A recording of decoded records, each with its place: topic and partition, offset."""
        recording = cls()
        for place, number, outcome in records:
            if isinstance(outcome, Event):
                recording._lines.append(_Line(outcome.time.timestamp(), Path(place), number, outcome))
            else:
                recording._set_aside(outcome, Path(place), number)
        recording._lines.sort(key=itemgetter(0))
        recording._before_reading = (len(recording.unreadable), recording.unknown)
        return recording

    def __len__(self) -> int:
        return len(self._lines)

    def events(self, what: str = "going through the events") -> Iterator[Event]:
        """Every event in order of time, decoded as the worker decodes it; may be read several times.

        `what` is done meanwhile, for the display of progress.
        """
        found, self.unknown = self._before_reading
        del self.unreadable[found:]
        with self._shown(what, len(self)) as advance:
            for _, lines in groupby(self._lines, key=_instant_ms):
                events = self._decoded(lines)
                if self.left_out:
                    events = [event for event in events if event.subject not in self.left_out]
                if len(events) > 1:
                    events.sort(key=instant_order)
                yield from events
                advance(len(events))

    def _decoded(self, lines: Iterable[_Line]) -> list[Event]:
        events = []
        for _, path, number, line in lines:
            event = reject_bad_model(decode_line(line) if isinstance(line, bytes) else line)
            if isinstance(event, Event):
                events.append(event)
            else:
                self._set_aside(event, path, number)
        return events

    def _load(self, paths: Sequence[Path], advance: Callable[..., None]) -> list[_Line]:
        lines: list[_Line] = []
        for path in paths:
            for number, line in numbered_lines(path):
                advance()
                try:
                    at_s = _HEAD.decode(line).time.timestamp()
                except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
                    self._set_aside(decode_line(line), path, number)
                    continue
                lines.append(_Line(at_s, path, number, line))
        lines.sort(key=itemgetter(0))
        return lines

    def _set_aside(self, outcome: Event | Unknown | Rejected, path: Path, number: int) -> None:
        if isinstance(outcome, Rejected):
            self.unreadable.append(UnreadableLine(path, number, str(outcome.reason), outcome.detail))
        elif isinstance(outcome, Unknown):
            self.unknown += 1
        else:
            self.unreadable.append(UnreadableLine(path, number, "schema", "the envelope has no usable time"))
