"""One job's part of a recording: the events of its customers, and those that concern every customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from stream.core.events.event import Event
from stream.core.events.order import instant_order
from stream.recording.lines import Lines
from stream.wire import Rejected, Unknown, is_broadcast

Decode = Callable[[bytes], Event | Unknown | Rejected]
Record = tuple[tuple[str, ...], bytes]
"""A sort key, and one line of an output."""


class Part:
    """Part `job` (0 is the first) of `jobs`: the events of its customers, and those about everybody."""

    def __init__(self, lines: Lines, decode: Decode, left_out: frozenset[str], job: int, jobs: int) -> None:
        self.job = job
        self.left_out = left_out
        """Customers whose events are passed over."""
        self.aside: dict[int, Rejected | Unknown] = {}
        """Place in order of time -> what a line is that is not an event; of all passes so far."""
        self.borrowed = 0
        """Of the last pass, events that the first part counts: they concern all customers."""
        self.advance: Callable[[int], None] = lambda count: None
        """Called with the number of lines that were read."""
        self.kept: Any = None
        """What work on this part leaves for its next work."""
        self._lines, self._decode = lines, decode
        self._job_of = (job, jobs)
        self._places: Sequence[int] | None = None

    def events(self) -> Iterator[Event]:
        """Every event of the part in order of time, decoded as the worker decodes it; may be read again."""
        if self._places is None:
            self._places = self._lines.places(*self._job_of)
        self.borrowed = 0
        for places in self._lines.instants(self._places):
            events = self._decoded(places)
            if self.left_out:
                events = [event for event in events if event.subject not in self.left_out]
            if len(events) > 1:
                events.sort(key=instant_order)
            if self.job:
                self.borrowed += sum(map(is_broadcast, events))
            yield from events
            self.advance(len(places))

    def keep(self, records: Iterable[Record]) -> Any:
        """Records in order, for the caller of the job to read with `Jobs.merged`."""
        return records

    def _decoded(self, places: Iterable[int]) -> list[Event]:
        events = []
        for place in places:
            text = self._lines.text(place)
            if text is None:
                continue
            event = self._decode(text)
            if isinstance(event, Event):
                events.append(event)
            else:
                self.aside[place] = event
        return events
