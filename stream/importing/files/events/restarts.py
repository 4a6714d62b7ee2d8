"""Order numbers that are not unique: the same one of a customer, months apart or in another store, is another
order.

Tills count from 1 each year, or each day; and each store has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from msgspec import structs

from stream.core.units import HOUR_MS
from stream.importing.files.events.event_ids import content_hash, event_time
from stream.importing.files.events.line_values import ORDER_MAX
from stream.importing.files.events.order_line import NO_TIME, OrderLine
from stream.time_zones import zone_info

SPREAD_MS = 12 * HOUR_MS
"""From so far apart on, the lines of one order are of more than one visit to a shop."""


def is_spread(lines: list[OrderLine]) -> bool:
    """Whether what was bought under one number lies SPREAD_MS or more apart, as where tills restart."""
    times = [line.time_ms for line in lines if _is_bought(line)]
    return bool(times) and max(times) - min(times) >= SPREAD_MS


def _is_bought(line: OrderLine) -> bool:
    return not (line.returned or line.is_cancelled) and line.time_ms != NO_TIME


def daily_orders(lines: list[OrderLine], day_of: Callable[[int], str]) -> Iterator[list[OrderLine]]:
    """The lines of one order number, an order for each day on which something was bought: `1001@2026-03-01`.

    `day_of` says on which day a time is. What went back as a line of the file, a refund that names only its
    order and a cancellation are of the latest day before them, so that they stay with their order.
    """
    days = sorted({day_of(line.time_ms) for line in lines if _is_bought(line)})
    groups: dict[str, list[OrderLine]] = {}
    for line in lines:
        own = day_of(line.time_ms) if line.time_ms != NO_TIME else days[0] if days else ""
        day = max((day for day in days if day <= own), default=days[0] if days else own)
        groups.setdefault(day, []).append(
            structs.replace(line, order=f"{line.order}@{day}" if day else line.order)
        )
    yield from groups.values()


def store_orders(lines: list[OrderLine]) -> list[list[OrderLine]]:
    """The lines of one order number, an order for each store (`affiliation`) in which something was bought.

    The first order keeps the number, another one gets its store as well: `1001@Leeds`. Lines that name none
    of these stores, such as a refund that names only its order, stay with the first.
    """
    bought = [line for line in lines if _is_bought(line) and _store(line)]
    stores = list(dict.fromkeys(_store(line) for line in sorted(bought, key=_earlier_first)))
    if len(stores) < 2:
        return [lines]
    groups: dict[str, list[OrderLine]] = {store: [] for store in stores}
    for line in lines:
        store = _store(line)
        if store in stores[1:]:
            groups[store].append(structs.replace(line, order=_number_in(line.order, store)))
        else:
            groups[stores[0]].append(line)
    return list(groups.values())


def _store(line: OrderLine) -> str:
    return str((line.extras or {}).get("affiliation", ""))


def _earlier_first(line: OrderLine) -> tuple[int, str]:
    return line.time_ms, _store(line)


def _number_in(order: str, store: str) -> str:
    whole = f"{order}@{store}"
    return whole if len(whole) <= ORDER_MAX else f"{order[: ORDER_MAX - 33]}@{content_hash(order, store)}"


def local_days(zone: str) -> Callable[[int], str]:
    """A function from a time in ms since 1970 to its day in a time zone: `2026-03-01`."""
    home = zone_info(zone)
    return lambda at_ms: datetime.fromtimestamp(at_ms / 1_000, home).date().isoformat()


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
