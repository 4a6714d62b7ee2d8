"""Arrivals of one instant: those of one key follow each other, in whatever order the topics have them.

Within an instant the order of offsets is given up, but never between instants: a topic's `order_ms` only
grows with its offsets. So the arrivals of one key and instant together are, in each topic, the next ones of
that key. A row that takes all of them before it notes their offsets as applied has no holes.
"""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter

from stream.engine.codec import Arrival

_place = attrgetter("order_ms", "key")
_order_of = attrgetter("order_ms")


def by_key_within_instants(batch: list[Arrival]) -> list[Arrival]:
    """Arrivals in order of `order_ms`, those of one instant by key; sets `Arrival.more`.

    Around an arrival that is `for_all` nothing is moved, and nothing waits for it: rows of all keys note its
    offset as applied, so records of its topic that come before it may not come after it.
    """
    if len(batch) < 2:
        return batch
    times = list(map(_order_of, batch))
    if len(set(times)) == len(times):
        return batch
    fixed = {arrival.order_ms for arrival in batch if arrival.for_all}
    if fixed:
        batch.sort(key=lambda each: (each.order_ms, b"" if each.order_ms in fixed else each.key))
    else:
        batch.sort(key=_place)
    for arrival, following in pairwise(batch):
        apart = arrival.for_all or following.for_all
        arrival.more = not apart and _place(arrival) == _place(following)
    return batch
