"""Recorded events: JSON lines of one or several files, read in order of event time.

Events of one instant (millisecond) come in the order of stream/core/events/order.py, so the order of files
and lines does not matter. Lines that are not events are collected with the reason; so are events that lie
after the instant as of which the recording is read, by a worker's own rule.
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

from stream.core.alerts.alert import rfc3339
from stream.core.events.event import Event, ModelPublished
from stream.core.events.order import instant_order
from stream.core.model.document import ModelError, decode_model
from stream.core.units import FOREVER_MS, SECOND_MS
from stream.recording.event_file import numbered_lines
from stream.recording.far_events import far_from_the_rest
from stream.wire import FUTURE_TOLERANCE_MS, Reason, Rejected, Unknown, decode_line


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


class FarEvent(NamedTuple):
    """Where an event is whose time is far from that of all others, and its time in ms since 1970."""

    path: Path
    line: int
    at_ms: int


class _TimeOnly(msgspec.Struct):
    time: datetime


_HEAD = msgspec.json.Decoder(_TimeOnly)


class _Line(NamedTuple):
    """Something recorded, its place, and its time in seconds since 1970."""

    at_s: float
    path: Path
    number: int
    content: bytes | Event | None
    """None: the event is not needed."""


def _instant_ms(line: _Line) -> int:
    """The event's `time_ms`."""
    return round(line.at_s * SECOND_MS)


def reject_bad_model(outcome: Event | Unknown | Rejected) -> Event | Unknown | Rejected:
    """The outcome, or Rejected for a published model that cannot be used: a dead letter of the worker too."""
    if isinstance(outcome, ModelPublished):
        try:
            decode_model(outcome.data.model)
        except ModelError as error:
            return Rejected(Reason.SCHEMA, str(error))
    return outcome


def reject_future(outcome: Event | Unknown | Rejected, now_ms: int) -> Event | Unknown | Rejected:
    """The outcome, or Rejected for an event that a worker whose clock shows `now_ms` sets aside."""
    if isinstance(outcome, Event) and outcome.time_ms > now_ms + FUTURE_TOLERANCE_MS:
        detail = f"{rfc3339(outcome.time_ms)} is more than 5 minutes after --now {rfc3339(now_ms)}"
        return Rejected(Reason.TIME_IN_FUTURE, detail)
    return outcome


class Recording:
    """The lines of some files in order of time; `unreadable` and `unknown` are complete after `events()`.

    Events more than 5 minutes after `now_ms` are among the unreadable lines (time_in_future). `wanted`
    chooses the lines whose events are needed; the others only count as times.
    """

    def __init__(
        self,
        paths: Sequence[Path] = (),
        shown: Progress = not_shown,
        now_ms: int = FOREVER_MS,
        *,
        wanted: Callable[[bytes], bool] | None = None,
    ) -> None:
        """`shown` displays how far the reading is."""
        self.now_ms = now_ms
        self.unreadable: list[UnreadableLine] = []
        self.unknown = 0
        self.left_out: frozenset[str] = frozenset()
        """Customers whose events are passed over."""
        self._wanted = wanted
        self._shown = shown
        with shown("reading", None) as advance:
            self._lines = self._load(paths, advance)
        self._before_reading = (len(self.unreadable), self.unknown)

    @classmethod
    def of(
        cls, records: Iterable[tuple[str, int, Event | Unknown | Rejected]], now_ms: int = FOREVER_MS
    ) -> Recording:
        """A recording of decoded records, each with its place: topic and partition, offset."""
        recording = cls(now_ms=now_ms)
        for place, number, decoded in records:
            outcome = reject_future(decoded, now_ms)
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
            if line is None:
                continue
            event = reject_bad_model(decode_line(line) if isinstance(line, bytes) else line)
            if isinstance(event, Event):
                events.append(event)
            else:
                self._set_aside(event, path, number)
        return events

    @property
    def in_future(self) -> list[UnreadableLine]:
        """The events that were set aside because they lie after the as-of time."""
        return [line for line in self.unreadable if line.reason == Reason.TIME_IN_FUTURE]

    @property
    def last_ms(self) -> int:
        """The time of the last line; 0 without lines."""
        return _instant_ms(self._lines[-1]) if self._lines else 0

    def far_events(self) -> list[FarEvent]:
        """The few events whose time is out of proportion to all others (far_events.py)."""
        places = far_from_the_rest([_instant_ms(line) for line in self._lines])
        far = [self._lines[place] for place in places]
        return [FarEvent(line.path, line.number, _instant_ms(line)) for line in far]

    def _load(self, paths: Sequence[Path], advance: Callable[..., None]) -> list[_Line]:
        lines: list[_Line] = []
        limit_ms = self.now_ms + FUTURE_TOLERANCE_MS
        for path in paths:
            for number, line in numbered_lines(path):
                advance()
                try:
                    at_s = _HEAD.decode(line).time.timestamp()
                except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
                    self._set_aside(decode_line(line), path, number)
                    continue
                if round(at_s * SECOND_MS) > limit_ms:
                    self._set_aside(reject_future(decode_line(line), self.now_ms), path, number)
                    continue
                content = line if self._wanted is None or self._wanted(line) else None
                lines.append(_Line(at_s, path, number, content))
        lines.sort(key=itemgetter(0))
        return lines

    def _set_aside(self, outcome: Event | Unknown | Rejected, path: Path, number: int) -> None:
        if isinstance(outcome, Rejected):
            self.unreadable.append(UnreadableLine(path, number, str(outcome.reason), outcome.detail))
        elif isinstance(outcome, Unknown):
            self.unknown += 1
        else:
            self.unreadable.append(UnreadableLine(path, number, "schema", "the envelope has no usable time"))
