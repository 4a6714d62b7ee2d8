"""Recorded events in two parts, up to an instant and after it, read only once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.core.events.event import Event


class SplitEvents:
    """Events in time order, split at `end_ms`: exhaust `before()` first, then `after()`, each once."""

    def __init__(self, events: Iterable[Event], end_ms: int) -> None:
        self._events = iter(events)
        self._end_ms = end_ms
        self._held: Event | None = None

    def before(self) -> Iterator[Event]:
        """Events up to and including `end_ms`."""
        for event in self._events:
            if event.time_ms > self._end_ms:
                self._held = event
                return
            yield event

    def after(self) -> Iterator[Event]:
        """Events after `end_ms`."""
        if self._held is not None:
            yield self._held
            self._held = None
        yield from self._events
