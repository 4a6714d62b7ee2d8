"""The worker's stall guard in a backtest: while nobody at all buys, nobody is judged for silence.

When purchases stop altogether, the source has stalled, and silence says nothing about customers. So no event
more than STALL_AFTER_MS later than the last purchase is released, and the clock does not go further either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream.config.settings import Settings
from stream.core.events.event import Event

STALL_AFTER_MS = Settings().stall_after_s * 1_000


def released(events: Iterable[Event], last_purchase_ms: int) -> Iterator[Event]:
    """Events in time order, without those that wait for a purchase that never came.

    `last_purchase_ms` is the time of the last purchase of all customers, in ms since 1970. What waited for an
    earlier one is as if it had not waited: events keep their order, and are judged as of their own time.
    """
    return (event for event in events if event.time_ms <= last_purchase_ms + STALL_AFTER_MS)


def judged_until_ms(end_ms: int, last_purchase_ms: int) -> int:
    """The time up to which silence is judged."""
    return min(end_ms, last_purchase_ms + STALL_AFTER_MS)
