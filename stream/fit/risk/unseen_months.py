"""The months of the year that a study predicts and that its history has never had, or had only once.

Of a month that the history never had nobody can know whether customers buy more in it than in others; of one
that it had once, whether that was the season or that year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from stream.core.alerts.amounts import MONTHS, listed
from stream.core.units import DAY_MS, MONTHS_OF_YEAR, YEAR_MS, calendar_month, first_day_of_month

DAYS_MIN = 7
"""A month of which the horizon has fewer days is not named, unless the whole horizon is shorter."""
RUN_MIN = 3
"""So many months in a row and more are named as `October to December`."""


class _Ahead(NamedTuple):
    """A calendar month in the horizon."""

    month: int
    """Months since January 1970."""
    times: float
    """How often the history has had this month of the year: its days in it, over the length of the month."""


def unseen_notes(first_ms: int, split_ms: int, horizon_ms: int) -> list[str]:
    """One note where the horizon has months that the history has had less than twice; else none.

    The history is from the day of `first_ms` to that of `split_ms` (midnights), the horizon follows; of one
    longer than a year the first year counts. More than half of a month counts as a month.
    """
    first, split = first_ms // DAY_MS, split_ms // DAY_MS
    ahead = list(_months_ahead(first, split, min(horizon_ms, YEAR_MS) // DAY_MS))
    never = [one.month for one in ahead if one.times < 0.5]
    once = [one.month for one in ahead if 0.5 <= one.times < 1.5]
    parts = [f"no {_named(never, 'whole month')}"] if never else []
    parts += [f"{_named(once, 'every month')} only once"] if once else []
    known = ", and ".join(parts)
    counts = "such months count as any other" if never else "what was of that year counts as of every year"
    return [f"Seasons are not known: the history has {known}; {counts}."] if parts else []


def _months_ahead(first: int, split: int, days: int) -> Iterator[_Ahead]:
    """The months of the horizon, each once, in order; day numbers since 1970-01-01."""
    largest: dict[int, tuple[int, int]] = {}
    for month, part in _days_by_month(split + 1, split + days):
        place = month % MONTHS_OF_YEAR
        largest[place] = max(largest.get(place, (0, 0)), (part, month))
    had = [0.0] * MONTHS_OF_YEAR
    for month, part in _days_by_month(first, split):
        had[month % MONTHS_OF_YEAR] += part / (first_day_of_month(month + 1) - first_day_of_month(month))
    for part, month in sorted(largest.values(), key=lambda one: one[1]):
        if part >= min(DAYS_MIN, days):
            yield _Ahead(month, had[month % MONTHS_OF_YEAR])


def _days_by_month(first: int, last: int) -> Iterable[tuple[int, int]]:
    """Each calendar month from a day to another, with how many of its days are among them."""
    for month in range(calendar_month(first), calendar_month(last) + 1):
        begins, ends = first_day_of_month(month), first_day_of_month(month + 1) - 1
        yield month, min(last, ends) - max(first, begins) + 1


def _named(months: Sequence[int], whole_year: str) -> str:
    """Ascending months in words: `March and June to August`; `whole_year` where they are all twelve."""
    if len(months) == MONTHS_OF_YEAR:
        return whole_year
    runs: list[list[int]] = []
    for month in months:
        if runs and runs[-1][-1] == month - 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    words = []
    for run in runs:
        names = [MONTHS[month % MONTHS_OF_YEAR] for month in run]
        words += [f"{names[0]} to {names[-1]}"] if len(names) >= RUN_MIN else names
    return listed(words)
