"""Order numbers that start again: the same number of the same customer, months apart, is another order.

Tills count from 1 each year, or each day.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec import structs

from stream.core.units import HOUR_MS
from stream.importing.files.events.event_ids import event_time
from stream.importing.files.events.order_line import NO_TIME, OrderLine

SPREAD_MS = 12 * HOUR_MS
"""From so far apart on, the lines of one order are of more than one visit to a shop."""


def is_spread(lines: list[OrderLine]) -> bool:
    """Whether what was bought under one number lies SPREAD_MS or more apart, as where tills restart."""
    times = [line.time_ms for line in lines if _is_bought(line)]
    return bool(times) and max(times) - min(times) >= SPREAD_MS


def _is_bought(line: OrderLine) -> bool:
    return not (line.returned or line.is_cancelled) and line.time_ms != NO_TIME


def restarted_orders(lines: list[OrderLine], apart_ms: int) -> Iterator[list[OrderLine]]:
    """The lines of one order number, divided where what was bought lies further apart than `apart_ms`.

    The first order keeps the number, a later one gets its day as well: `1001@2026-03-01`. What went back as
    a line of the file stays with the first, and is matched with the orders by its products. A refund that
    names only its order is of the latest one before it.
    """
    times = sorted({line.time_ms for line in lines if _is_bought(line)})
    begins = [at for before, at in pairwise(times) if at - before > apart_ms]
    if not begins:
        yield lines
        return
    first: list[OrderLine] = []
    later: dict[int, list[OrderLine]] = {at: [] for at in begins}
    for line in lines:
        begun = [at for at in begins if at <= line.time_ms != NO_TIME]
        if (line.returned and not line.direct) or not begun:
            first.append(line)
        else:
            number = f"{line.order}@{event_time(begun[-1]).date().isoformat()}"
            later[begun[-1]].append(structs.replace(line, order=number))
    yield first
    yield from (group for group in later.values() if group)
