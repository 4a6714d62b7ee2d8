"""What a backtest asks of a history when nobody chose: learn from the first part, predict the last."""

from __future__ import annotations

from typing import NamedTuple

from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.coverage import Coverage

PREDICTED_SHARE = 1 / 3
"""Of the history, at most this much is predicted; the rest is learnt from."""
HORIZON_WEEKS_MAX = 26
HORIZON_WEEKS_MIN = 4


class BacktestSpan(NamedTuple):
    """The last day to learn from (midnight, ms), and the weeks after it that are predicted."""

    split_ms: int
    horizon_weeks: int


def default_span(coverage: Coverage) -> BacktestSpan | None:
    """The last third of the history, at most half a year; None where that is less than four weeks."""
    known_ms = coverage.end_ms + 1 - coverage.first_day_ms
    weeks = min(HORIZON_WEEKS_MAX, int(known_ms * PREDICTED_SHARE) // WEEK_MS)
    if weeks < HORIZON_WEEKS_MIN:
        return None
    return BacktestSpan(coverage.end_ms + 1 - DAY_MS - weeks * WEEK_MS, weeks)
