"""Days on which the source of purchases was stalled or far below its usual volume.

Silence on such days says nothing about customers, so no lesson lies over them: the fit has the guard that
replay and worker have. A season is no stall: the usual volume is that of the weeks around, on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from stream.core.units import DAY_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.coverage import day
from stream.fit.history import History
from stream.fit.risk.training_set import TrainingRows

WEEK_DAYS = 7
AROUND_DAYS = 26 * WEEK_DAYS
"""How far on each side the usual volume is looked for."""
USUAL_SHARE = 0.75
"""The usual volume of a side is this quantile of its weeks: some of them may be of the same stall."""
STALLED_SHARE = 0.25
"""A day is stalled if the week around it has less than this share of the usual volume of either side."""
VOLUME_MIN = 20.0
"""With fewer orders a week than this nothing can be seen."""
LESSON_SHARE_MAX = 0.1
"""A lesson may have this share of stalled days."""


def stalled_days(times_ms: Iterable[int], first_ms: int, split_ms: int) -> Flags:
    """Which days from that of `first_ms` to that of `split_ms` were stalled, shape (days,).

    `times_ms`: of all orders. Both ends are midnights by the clock of the business.
    """
    days = (split_ms - first_ms) // DAY_MS + 1
    places = (np.fromiter(times_ms, dtype=np.int64) - first_ms) // DAY_MS
    counts = np.bincount(places[(places >= 0) & (places < days)], minlength=days).astype(np.float64)
    weeks = _week_around(counts)
    stalled = np.zeros(days, dtype=bool)
    for place in np.flatnonzero(weeks < STALLED_SHARE * weeks.max(initial=0.0)):
        sides = weeks[max(0, place - AROUND_DAYS) : place], weeks[place + 1 : place + 1 + AROUND_DAYS]
        usual = [float(np.quantile(side, USUAL_SHARE)) for side in sides if len(side) >= WEEK_DAYS]
        least = min(usual, default=0.0)
        stalled[place] = least >= VOLUME_MIN and weeks[place] < STALLED_SHARE * least
    return stalled


def order_times(history: History) -> Iterator[int]:
    """When each order of anybody was placed, by the clock of the business."""
    return (at_ms for orders in history.orders.values() for at_ms in orders.values())


def without_stalls(
    parts_of: Mapping[int, Mapping[int, TrainingRows]], history: History, split_ms: int
) -> tuple[dict[int, dict[int, TrainingRows]], tuple[str, ...]]:
    """Training day -> horizon -> lesson, for the lessons that lie over hardly a stalled day; and a note where
    some were left out."""
    stalled = stalled_days(order_times(history), history.first_ms, split_ms)
    kept = {
        day_ms: {
            horizon_ms: rows
            for horizon_ms, rows in found.items()
            if is_clear(stalled, history.first_ms, day_ms, horizon_ms)
        }
        for day_ms, found in parts_of.items()
    }
    before, after = (sum(map(len, one.values())) for one in (parts_of, kept))
    if before == after:
        return kept, ()
    places = np.flatnonzero(stalled)
    first, last = (day(history.first_ms + int(place) * DAY_MS) for place in (places[0], places[-1]))
    return kept, (
        f"On {len(places)} days between {first} and {last} there were far fewer purchases than usual, as if "
        f"their source had stalled: {before - after} of {before} lessons over such days were left out.",
    )


def is_clear(stalled: Flags, first_ms: int, day_ms: int, horizon_ms: int) -> bool:
    """Whether a lesson as of a day over a horizon, and the half horizon before it, had hardly such a day."""
    begin, end = day_ms - horizon_ms // 2, day_ms + horizon_ms
    span = stalled[max(0, (begin - first_ms) // DAY_MS) : (end - first_ms) // DAY_MS + 1]
    return not len(span) or float(span.mean()) <= LESSON_SHARE_MAX


def _week_around(counts: Numbers) -> Numbers:
    """Orders of the week around each day; at both ends as many as the rest of it makes likely."""
    ones = np.ones(WEEK_DAYS)
    known = np.convolve(np.ones_like(counts), ones, mode="same")
    found: Numbers = np.convolve(counts, ones, mode="same")[: len(counts)] * WEEK_DAYS / known[: len(counts)]
    return found
