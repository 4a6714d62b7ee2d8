"""Whether the last weeks are unlike the time learnt from. What follows nobody can know; that can be seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stream.core.units import DAY_MS, WEEK_MS

LAST_MS = 4 * WEEK_MS
"""The last weeks of a history, which are compared with the time before."""
ALIKE_MIN = 0.6
"""Weeks with less than this share of the usual purchases, or more than its inverse, are unlike others."""
CASES_MIN = 30.0
"""With fewer purchases to be expected than this, nothing can be seen."""


def volume_share(
    times_ms: Iterable[int], before_ms: tuple[int, int], after_ms: tuple[int, int]
) -> float | None:
    """The purchases a day of one span over those of an earlier one; None where few were to be expected.

    Spans are half open, times in ms as the clock of the business shows them.
    """
    times = np.fromiter(times_ms, dtype=np.int64)
    before, after = (int(((times >= begin) & (times < end)).sum()) for begin, end in (before_ms, after_ms))
    expected = before / (before_ms[1] - before_ms[0]) * (after_ms[1] - after_ms[0])
    return after / expected if expected >= CASES_MIN else None


def drift_words(times_ms: Iterable[int], learnt_from_ms: int, split_ms: int) -> tuple[str, ...]:
    """A warning where the last weeks up to the end of the split's day are unlike the time before, else none.

    `learnt_from_ms`: where the lessons begin.
    """
    end_ms = split_ms + DAY_MS
    share = volume_share(times_ms, (learnt_from_ms, end_ms - LAST_MS), (end_ms - LAST_MS, end_ms))
    if share is None or ALIKE_MIN <= share <= 1.0 / ALIKE_MIN:
        return ()
    return (
        f"The last {LAST_MS // WEEK_MS} weeks are unlike the time learnt from: {share:.0%} of its purchases "
        "a week. Is it a season, are data missing, or has the business changed? Take the risks with care, "
        "and fit again soon.",
    )


def unlike_words(times_ms: Iterable[int], learnt_from_ms: int, split_ms: int, horizon_ms: int) -> list[str]:
    """A warning where the horizon after the split's day was unlike the time before, else none."""
    end_ms = split_ms + DAY_MS
    share = volume_share(times_ms, (learnt_from_ms, end_ms), (end_ms, end_ms + horizon_ms))
    if share is None or ALIKE_MIN <= share <= 1.0 / ALIKE_MIN:
        return []
    return [
        f"The {horizon_ms / WEEK_MS:.0f} weeks after the split were unlike the time before: {share:.0%} of "
        "its purchases a week. Nobody could know that from what came before."
    ]
