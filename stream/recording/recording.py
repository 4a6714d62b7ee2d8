"""Recorded events: JSON lines of one or several files, read in order of event time.

Events of one instant (millisecond) come in the order of stream/core/events/order.py, so the order of files
and lines does not matter. Lines that are not events are collected with the reason; so are events that lie
after the instant as of which the recording is read, by a worker's own rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from stream.core.alerts.alert import rfc3339
from stream.core.events.event import CostRecorded, Event, ModelPublished, PolicyPublished, type_name
from stream.core.model.document import ModelError, decode_model
from stream.core.units import FOREVER_MS, SECOND_MS
from stream.policy_file.published import PublishedPolicyError, check_document
from stream.recording.event_file import numbered_lines
from stream.recording.far_events import far_from_the_rest
from stream.recording.lines import OF_ALL, OF_NOBODY, Lines, Origin, share_of
from stream.recording.part import Decode, Part
from stream.wire import (
    BROADCAST,
    FUTURE_TOLERANCE_MS,
    Reason,
    Rejected,
    Unknown,
    decode_line,
    decode_own,
)


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


class _Envelope(msgspec.Struct):
    time: datetime
    subject: str
    type: str


class _TimeOnly(msgspec.Struct):
    time: datetime


_HEAD, _TIME = msgspec.json.Decoder(_Envelope), msgspec.json.Decoder(_TimeOnly)
_ENCODE = msgspec.json.Encoder().encode
_BROADCAST_TYPES = frozenset(type_name(kind) for kind in BROADCAST)
_NOBODYS_TYPES = frozenset({type_name(CostRecorded)})
"""Types of events about no single customer, whatever their subject is."""
UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What decoding a head raises."""


def reject_bad_publication(outcome: Event | Unknown | Rejected) -> Event | Unknown | Rejected:
    """The outcome, or Rejected for a published model or policy that cannot be used: a dead letter of the
    worker too."""
    try:
        if isinstance(outcome, ModelPublished):
            decode_model(outcome.data.model)
        elif isinstance(outcome, PolicyPublished):
            check_document(outcome.data.mode, outcome.data.policy)
    except (ModelError, PublishedPolicyError) as error:
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
        self.shown = shown
        self.left_out: frozenset[str] = frozenset()
        """Customers whose events are passed over."""
        self.aside: dict[int, Rejected | Unknown] = {}
        """Place in order of time -> what a line is that is not an event, as far as the events were read."""
        self._lines = Lines()
        self._decode: Decode = _decoded_line
        self._paths = list(paths)
        self._refused: list[UnreadableLine] = []
        self._unknown = 0
        self._wanted = wanted
        if paths:
            with shown("reading", None) as advance:
                self._load(advance)

    @classmethod
    def of(
        cls, records: Iterable[tuple[str, int, Event | Unknown | Rejected]], now_ms: int = FOREVER_MS
    ) -> Recording:
        """A recording of decoded records, each with its place: topic and partition, offset."""
        recording = cls(now_ms=now_ms)
        recording._decode = _decoded_record
        files: dict[str, int] = {}
        for place, number, decoded in records:
            file = files.setdefault(place, len(files))
            if file == len(recording._paths):
                recording._paths.append(Path(place))
            outcome = reject_future(decoded, now_ms)
            if isinstance(outcome, Event):
                share = _share(type_name(type(outcome)), outcome.subject)
                recording._lines.append(outcome.time_ms, Origin(file, number), share, _ENCODE(outcome))
            else:
                recording._set_aside(outcome, Path(place), number)
        recording._lines.sort()
        return recording

    def __len__(self) -> int:
        return len(self._lines)

    def part(self, job: int = 0, jobs: int = 1) -> Part:
        """The part of one of some jobs; all of it for the only one."""
        return Part(self._lines, self._decode, self.left_out, job, jobs)

    def events(self, what: str = "going through the events") -> Iterator[Event]:
        """Every event in order of time, decoded as the worker decodes it; may be read several times.

        `what` is done meanwhile, for the display of progress.
        """
        part = self.part()
        part.aside = self.aside
        with self.shown(what, len(self)) as advance:
            part.advance = advance
            yield from part.events()

    @property
    def unreadable(self) -> list[UnreadableLine]:
        """Lines that are no events: first those without a usable time, then the others in order of time."""
        return [*self._refused, *(self._named(place, one) for place, one in self._sorted_aside())]

    @property
    def unknown(self) -> int:
        """How many lines are events of a type that this version does not know."""
        return self._unknown + sum(isinstance(one, Unknown) for one in self.aside.values())

    @property
    def in_future(self) -> list[UnreadableLine]:
        """The events that were set aside because they lie after the as-of time."""
        return [line for line in self.unreadable if line.reason == Reason.TIME_IN_FUTURE]

    @property
    def last_ms(self) -> int:
        """The time of the last line; 0 without lines."""
        return self._lines.at_ms(len(self) - 1) if len(self) else 0

    def far_events(self) -> list[FarEvent]:
        """The few events whose time is out of proportion to all others (far_events.py)."""
        found = []
        for place in far_from_the_rest(self._lines.times_ms()):
            path, number = self._origin(place)
            found.append(FarEvent(path, number, self._lines.at_ms(place)))
        return found

    def _sorted_aside(self) -> list[tuple[int, Rejected]]:
        return sorted((place, one) for place, one in self.aside.items() if isinstance(one, Rejected))

    def _named(self, place: int, outcome: Rejected) -> UnreadableLine:
        return UnreadableLine(*self._origin(place), str(outcome.reason), outcome.detail)

    def _origin(self, place: int) -> tuple[Path, int]:
        file, number = self._lines.origin(place)
        return self._paths[file], number

    def _load(self, advance: Callable[..., None]) -> None:
        limit_ms = self.now_ms + FUTURE_TOLERANCE_MS
        wanted, lines = self._wanted, self._lines
        for file, path in enumerate(self._paths):
            for number, text in numbered_lines(path):
                advance()
                try:
                    at_ms, share = _head(text)
                except UNREADABLE:
                    self._set_aside(decode_line(text), path, number)
                    continue
                if at_ms > limit_ms:
                    self._set_aside(reject_future(decode_line(text), self.now_ms), path, number)
                    continue
                kept = text if wanted is None or wanted(text) else None
                lines.append(at_ms, Origin(file, number), share, kept)
        lines.sort()

    def _set_aside(self, outcome: Event | Unknown | Rejected, path: Path, number: int) -> None:
        if isinstance(outcome, Rejected):
            self._refused.append(UnreadableLine(path, number, str(outcome.reason), outcome.detail))
        elif isinstance(outcome, Unknown):
            self._unknown += 1
        else:
            self._refused.append(UnreadableLine(path, number, "schema", "the envelope has no usable time"))


def _head(text: bytes) -> tuple[int, int]:
    """The time of a line (as `Event.time_ms`) and its share; raises one of UNREADABLE without a time."""
    try:
        head = _HEAD.decode(text)
    except UNREADABLE:
        return _ms(_TIME.decode(text).time), OF_NOBODY
    return _ms(head.time), _share(head.type, head.subject)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * SECOND_MS)


def _share(type_of_event: str, subject: str) -> int:
    if type_of_event in _BROADCAST_TYPES:
        return OF_ALL
    return OF_NOBODY if type_of_event in _NOBODYS_TYPES else share_of(subject)


def _decoded_line(text: bytes) -> Event | Unknown | Rejected:
    return reject_bad_publication(decode_line(text))


def _decoded_record(text: bytes) -> Event | Unknown | Rejected:
    return reject_bad_publication(decode_own(text))
