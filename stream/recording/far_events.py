"""A few recorded events whose time is out of proportion to all others: mistyped years, clocks set wrong.

One such event can move every judgement: a replay goes on to its time, and by then everybody has been silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from stream.core.units import DAY_MS

FEW_MAX = 10
"""At most so many events at either end are far from the rest."""
FEW_SHARE = 20
"""And at most one in so many: of fewer than 20 events none is."""
GAP_MIN_DAYS = 30
"""A smaller distance to the rest is never out of proportion."""
PAUSES_MIN = 10
"""The distance is more than so many of the longest pauses between two events of the rest."""


def far_from_the_rest(times_ms: Sequence[int]) -> list[int]:
    """Indices of the first or last few times, in rising order, that a gap divides from all others.

    The gap is more than GAP_MIN_DAYS, and more than PAUSES_MIN of the longest pauses within the rest, which
    is what lies between the few first and the few last.
    """
    count = len(times_ms)
    few = min(FEW_MAX, count // FEW_SHARE)
    rest = times_ms[few : count - few]
    longest_ms = max((later - earlier for earlier, later in pairwise(rest)), default=0)
    gap_ms = max(GAP_MIN_DAYS * DAY_MS, PAUSES_MIN * longest_ms)

    def is_gap(place: int) -> bool:
        return times_ms[place] - times_ms[place - 1] > gap_ms

    first = max((place for place in range(1, few + 1) if is_gap(place)), default=0)
    last = min((place for place in range(count - few, count) if is_gap(place)), default=count)
    return [*range(first), *range(last, count)]
