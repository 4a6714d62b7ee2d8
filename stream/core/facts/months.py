"""Series by calendar month of the business: one number for each of the last 25 months in which there was any.

So a month can be compared with the same month of the two years before. A series is a flat list, since that
costs least to keep and to write: month, number, month, number and so on, ascending; months count from January
1970 (`units.calendar_month`). It reaches back from its newest month, so it comes out the same in any order of
arrival: what is older when it arrives, newer months would have let go.
"""

from __future__ import annotations

MONTHS_KEPT = 25


def add_to_month(series: list[int], month: int, amount: int) -> None:
    """Add an amount to a month of a series, in place. A month older than those that are kept is left out."""
    if series:
        newest = series[-2]
        if month == newest:
            series[-1] += amount
            return
        if month < newest:
            _add_late(series, month, amount)
            return
        while series and series[0] <= month - MONTHS_KEPT:
            del series[:2]
    series += (month, amount)


def _add_late(series: list[int], month: int, amount: int) -> None:
    """Add to a month before the newest."""
    if month <= series[-2] - MONTHS_KEPT:
        return
    place = len(series) - 2
    while place > 0 and series[place - 2] >= month:
        place -= 2
    if series[place] == month:
        series[place + 1] += amount
    else:
        series[place:place] = (month, amount)


def by_month(series: list[int]) -> dict[int, int]:
    """Month -> number, ascending."""
    return dict(zip(series[::2], series[1::2], strict=True))
