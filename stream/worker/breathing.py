"""A long batch lets the event loop breathe, whatever it holds: health is answered, records are fetched.

Heavy records, a hundred thousand reviews at once or a new model for all customers would else hold it for
many seconds. Where a batch pauses changes no result: the lane is busy until its end, and nothing of it is
flushed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from stream.engine import Lane, Moment

AT_ONCE_S = 0.1
"""How long a batch may hold the event loop."""
DONE = (None,)
"""Of a moment that is over at once."""


async def breathing(
    lane: Lane[Any],
    apply: Callable[[Lane[Any], Moment], Iterable[None] | None],
    abandon: Callable[[], object],
    at_once_s: float = AT_ONCE_S,
) -> None:
    """Apply all moments of a lane; after each `at_once_s` other things may be done in between.

    `apply` returns what is left to do of a moment that is much work, in small parts. A lane that was closed
    meanwhile is left, after `abandon`: what was not flushed comes again, to the next owner of the partition.
    """
    pause_s = time.monotonic() + at_once_s
    for moment in lane.moments():
        for _ in apply(lane, moment) or DONE:
            if time.monotonic() > pause_s:
                await asyncio.sleep(0)
                pause_s = time.monotonic() + at_once_s
                if not lane.open:
                    abandon()
                    return
