"""The worker's stall guard in a backtest: while nobody at all buys, nobody is judged for silence.

When purchases stop altogether, the source has stalled, and silence says nothing about customers. So no event
more than STALL_AFTER_MS later than the last purchase is released, and the clock does not go further either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.config.settings import Settings
from stream.core.events.event import PURCHASES, Event

STALL_AFTER_MS = Settings().stall_after_s * 1_000


def released(events: Iterable[Event], purchases_until_ms: int) -> Iterator[Event]:
    """Events in time order. Those too far after the last purchase wait for the next one, if there is one."""
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
    """The time up to which silence is judged."""
    return min(end_ms, last_purchase_ms + STALL_AFTER_MS)
