"""Recorded events read in two parts: up to the end of a day, and after it, without reading them twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.core.events.event import Event


class SplitEvents:
    """Events in time order, split at `end_ms`. Read `before()` whole, then `after()`, each once."""

    def __init__(self, events: Iterable[Event], end_ms: int) -> None:
        self._events = iter(events)
        self._end_ms = end_ms
        self._held: Event | None = None

    def before(self) -> Iterator[Event]:
        """Events up to and including the end."""
        for event in self._events:
            if event.time_ms > self._end_ms:
                self._held = event
                return
            yield event

    def after(self) -> Iterator[Event]:
        """All the others."""
        if self._held is not None:
            yield self._held
            self._held = None
        yield from self._events
