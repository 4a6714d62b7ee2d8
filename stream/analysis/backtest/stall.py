"""Customers are silent by not buying; a source that fell silent altogether says nothing of them.

As in the worker: nothing is released, and no time passes, that is further ahead of the purchases than this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.config.settings import Settings
from stream.core.events.event import PURCHASES, Event

STALL_AFTER_MS = Settings().stall_after_s * 1_000


def released(events: Iterable[Event], purchases_until_ms: int) -> Iterator[Event]:
    """Events in time order, those too far ahead of the purchases once a purchase comes; at the end, never."""
    held: list[Event] = []
    for event in events:
        if type(event) in PURCHASES:
            purchases_until_ms = event.time_ms
            yield from held
            held.clear()
        elif event.time_ms > purchases_until_ms + STALL_AFTER_MS:
            held.append(event)
            continue
        yield event


def judged_until_ms(end_ms: int, last_purchase_ms: int) -> int:
    """How far time passes."""
    return min(end_ms, last_purchase_ms + STALL_AFTER_MS)
