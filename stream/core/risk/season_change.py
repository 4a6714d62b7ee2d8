"""The first instant at which a seasonal risk reaches one level or falls below another, across the borders of
months.

Within a month the risk only rises, so the risk at its end says whether it reaches a level there, and regula
falsi when. It falls at borders alone. A year later the same month finds the same customer after a longer
silence: so whoever has not fallen below a level at any of the next twelve borders never will, and a year in
which the highest the risk could be is below the level is passed over at once.

Just after a purchase most customers buy again before any of this happens. So then an instant is enough that
is surely not later (risk/churn.py): the time at which nine in ten have bought again, if no month until then
lets the risk reach the level, or one on the way to a crossing that a straight line estimates. It is a border
only where the risk leaves its band right there: nobody is reviewed because a month begins.
"""

from __future__ import annotations

from typing import NamedTuple

from stream.core.risk.crossing import LogOdds, estimated_ms, first_crossing
from stream.core.risk.curve import EVERY_MONTH, RiskCurve
from stream.core.units import DAY_MS, FOREVER_MS, MONTHS_OF_YEAR

MONTHS_LOOKED = 4
"""Months that are looked at one by one just after a purchase. Then a review looks on."""
BOUNDS_TRIED = 3
"""Instants that are tried at once, before it is looked month by month."""
SAFE = 1e-9
"""Log-odds by which a bound keeps away from a level, so that rounding cannot matter."""


class Floor(NamedTuple):
    """A level below which a risk may fall, and until when that matters."""

    log_odds: float
    until_ms: int = FOREVER_MS


def first_change_ms(
    curve: RiskCurve, from_ms: int, goal: float | None, floor: Floor | None, end_ms: int
) -> int | None:
    """The first instant from `from_ms` to `end_ms` with log-odds of at least `goal`, or at a border of at
    most those of `floor`.

    A level that is None is not looked for. None if there is no such instant.
    """
    season = curve.season
    assert season is not None
    month = season.month(from_ms)
    fallen_by = month + MONTHS_OF_YEAR
    low_ms = from_ms
    floor = _reachable(curve, season.begins_ms(month + 1), floor)
    while low_ms <= end_ms:
        if goal is None and (floor is None or month > fallen_by):
            return None
        if goal is not None and month > fallen_by:
            later_ms = season.begins_ms(month + MONTHS_OF_YEAR)
            if curve.highest(later_ms, season.silent_ms(later_ms), EVERY_MONTH) < goal:
                month, low_ms = month + MONTHS_OF_YEAR, later_ms
                continue
        high_ms = min(season.begins_ms(month + 1) - 1, end_ms)
        inside = curve.in_month(month).log_odds
        if floor is not None and low_ms > from_ms:
            if low_ms >= floor.until_ms:
                floor = None
            elif inside(low_ms) <= floor.log_odds:
                return low_ms
        found_ms = _within_month(inside, (low_ms, high_ms), goal, curve.features.last_ms)
        if found_ms is not None:
            return found_ms
        month, low_ms = month + 1, high_ms + 1
    return None


def _reachable(curve: RiskCurve, from_ms: int, floor: Floor | None) -> Floor | None:
    """The floor, or None where the risk surely never falls so low from an instant on, or not in time."""
    if floor is None or from_ms >= floor.until_ms or curve.lowest(from_ms) > floor.log_odds + SAFE:
        return None
    return floor


def _within_month(
    log_odds: LogOdds, ends_ms: tuple[int, int], goal: float | None, since_ms: int
) -> int | None:
    low_ms, high_ms = ends_ms
    if goal is None or (high_ms > low_ms and log_odds(high_ms) < goal - SAFE):
        return None
    return first_crossing(log_odds, goal, low_ms, high_ms, since_ms)


def early_review_ms(
    curve: RiskCurve, now: tuple[int, float], goal: float, floor: Floor | None, end_ms: int
) -> int | None:
    """An instant that is not later than `first_change_ms`, just after a purchase; None if there is none.

    `now`: the instant, and the log-odds then, below the goal and above the floor.
    """
    season = curve.season
    assert season is not None
    month, silent_ms = season.month(now[0]), curve.own.usual_ms
    floor = _reachable(curve, season.begins_ms(month + 1), floor)
    early_ms, last = season.reaches(silent_ms)
    if early_ms > end_ms:
        early_ms, last = end_ms, season.month(end_ms)
    if floor is None:
        at_ms = early_ms
        for _ in range(BOUNDS_TRIED):
            if at_ms - now[0] < DAY_MS:
                break
            bound = curve.highest(at_ms, silent_ms, _places(month, last))
            if bound < goal - SAFE:
                return at_ms
            at_ms = min(estimated_ms(now, (at_ms, bound), goal, curve.features.last_ms), at_ms)
            last = season.month(at_ms)
            silent_ms = season.time_in(last).silent_ms(at_ms)
    return _bounded_ms(curve, now, month, (goal, floor), early_ms)


def _places(first: int, last: int) -> list[int]:
    """The months of the year, 0: January, from one calendar month to another, each once."""
    return [month % MONTHS_OF_YEAR for month in range(first, min(last + 1, first + MONTHS_OF_YEAR))]


def _bounded_ms(
    curve: RiskCurve, now: tuple[int, float], month: int, levels: tuple[float, Floor | None], early_ms: int
) -> int | None:
    """The same, month by month from that of `now` on; no need to look beyond `early_ms`."""
    season, since_ms = curve.season, curve.features.last_ms
    assert season is not None
    (now_ms, at_low), (goal, floor) = now, levels
    low_ms = now_ms
    for ahead in range(month, month + MONTHS_LOOKED):
        log_odds = curve.in_month(ahead).log_odds
        high_ms = season.begins_ms(ahead + 1) - 1
        at_high = log_odds(high_ms)
        rises = at_high >= goal - SAFE
        if floor is not None and low_ms >= floor.until_ms:
            floor = None
        if ahead > month and (rises or floor is not None):
            at_low = log_odds(low_ms)
            if at_low >= goal or (floor is not None and at_low <= floor.log_odds):
                return low_ms
        if rises:
            estimate_ms = estimated_ms((low_ms, at_low), (high_ms, max(at_high, goal)), goal, since_ms)
            if low_ms < estimate_ms and log_odds(estimate_ms) < goal - SAFE:
                return estimate_ms
            return first_crossing(log_odds, goal, low_ms, high_ms, since_ms) or high_ms
        if now_ms < early_ms <= high_ms:
            return early_ms
        low_ms = high_ms + 1
    return now_ms + (low_ms - now_ms) * 7 // 8  # not at a border: all would be reviewed at once
