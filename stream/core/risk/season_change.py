"""The first instant at which a seasonal risk reaches one level or falls below another, across the borders of
months.

Within a month the risk only rises, so two evaluations say whether it reaches a level there, and regula falsi
when. It falls at borders alone. A year later the same month finds the same customer after a longer silence:
so whoever has not fallen below a level at any of the next twelve borders never will, and a year in which the
highest the risk could be is below the level is passed over at once.
"""

from __future__ import annotations

from stream.core.risk.crossing import first_crossing
from stream.core.risk.curve import RiskCurve
from stream.core.units import MONTHS_OF_YEAR

EVERY_MONTH = range(MONTHS_OF_YEAR)


def first_change_ms(
    curve: RiskCurve, from_ms: int, goal: float | None, floor: float | None, end_ms: int
) -> int | None:
    """The first instant from `from_ms` to `end_ms` with log-odds of at least `goal`, or at a border of at
    most `floor`.

    A level that is None is not looked for. None if there is no such instant.
    """
    season = curve.season
    assert season is not None
    month = season.month(from_ms)
    fallen_by = month + MONTHS_OF_YEAR
    low_ms = from_ms
    while low_ms <= end_ms:
        if goal is None and month > fallen_by:
            return None
        if goal is not None and month > fallen_by:
            later_ms = season.begins_ms(month + MONTHS_OF_YEAR)
            if curve.highest(later_ms, season.silent_ms(later_ms), EVERY_MONTH) < goal:
                month, low_ms = month + MONTHS_OF_YEAR, later_ms
                continue
        high_ms = min(season.begins_ms(month + 1) - 1, end_ms)
        found_ms = _within_month(curve, (low_ms, high_ms), goal, floor if low_ms > from_ms else None)
        if found_ms is not None:
            return found_ms
        month, low_ms = month + 1, high_ms + 1
    return None


def _within_month(
    curve: RiskCurve, ends_ms: tuple[int, int], goal: float | None, floor: float | None
) -> int | None:
    low_ms, high_ms = ends_ms
    if floor is not None and curve.log_odds(low_ms) <= floor:
        return low_ms
    if goal is None:
        return None
    return first_crossing(curve.log_odds, goal, low_ms, high_ms, curve.features.last_ms)
