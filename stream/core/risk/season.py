"""One customer's year: how fast time passes for their purchases, month by month.

Who buys only before Christmas is not silent in July: there is nothing to be late for. So a model that knows
seasons measures silence and horizon of a customer in their own purchasing time, which passes fast in the
months in which they buy and hardly in others; a whole year is as long in it as on the calendar. A process
whose clock is changed so stays what it was (subordination: Feller, An Introduction to Probability Theory and
its Applications II, X.7): the purchase process and the features of risk are as they are, and read another
clock.

How fast it passes in each month is the mean over the model's kinds of buyers, each weighed by how well it
explains the months in which this customer bought so far (Bayes' theorem, multinomial months).

Within a calendar month of the business purchasing time only goes forward, and the horizon is that of the
month's middle. So between two borders of months silence only raises the risk, and a border is an instant that
is known in advance.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, chain
from operator import mul
from typing import NamedTuple

from msgspec import Struct

from stream.core.calendar import Calendar
from stream.core.model.features import Features
from stream.core.model.pace import Further
from stream.core.model.record import Seasons
from stream.core.units import DAY_MS, MONTHS_OF_YEAR, YEAR_MS, calendar_month, first_day_of_month

YEAR_DAYS = YEAR_MS / DAY_MS
MONTH_DAYS = (31.0, 28.2425, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0)
"""Mean length of each month of the year, January first."""
MONTH_BEGINS = tuple(accumulate(chain((0.0,), MONTH_DAYS[:-1])))
"""Days from the beginning of a mean year to that of each month."""
MONTH_MIDDLES = tuple(begin + days / 2.0 for begin, days in zip(MONTH_BEGINS, MONTH_DAYS, strict=True))
"""The same to its middle."""
HORIZONS_REMEMBERED = 1 << 16
"""Horizons of these years by month; where one horizon is set for everybody, twelve of each year."""
YEARS_REMEMBERED = 1 << 14
"""Different counts of purchase days by month whose years are kept: a shop of 25,000 has some thousands."""
SHARE_STEPS = 100
"""How probable each kind of buyers is for a customer counts in hundredths: so most customers of a kind have
the same year, with the same horizons."""


class Year(Struct, frozen=True, eq=False, gc=False):
    """Days of purchasing time in each month of the year, January first; they add up to a year."""

    days: tuple[float, ...]
    begins: tuple[float, ...]
    """Purchasing time from the beginning of the year to that of each month."""
    focus: float
    """1 less the reciprocal of how fast purchasing time passes, in the mean over itself: 0 for all year
    alike, 0.83 for two months."""

    def by(self, day: float) -> float:
        """Purchasing time within so many days from the beginning of a mean year."""
        years, rest = divmod(day, YEAR_DAYS)
        place = bisect_right(MONTH_BEGINS, rest) - 1
        return (
            years * YEAR_DAYS
            + self.begins[place]
            + self.days[place] * ((rest - MONTH_BEGINS[place]) / MONTH_DAYS[place])
        )


@lru_cache(maxsize=HORIZONS_REMEMBERED)
def horizon_in(year: Year, days: float, place: int) -> float:
    """Purchasing time, in days, within so many days from the middle of a month (0: January)."""
    middle = MONTH_MIDDLES[place]
    return year.by(middle + days) - year.by(middle)


class Season(Struct, frozen=True, gc=False):
    """The purchasing time of one customer since the last purchase."""

    year: Year
    calendar: Calendar
    bought: float
    """Purchasing time, in days, from January 1970 to the last purchase."""
    first: MonthTime
    """The month of the last purchase."""

    @property
    def focus(self) -> float:
        """How much the customer buys in few months (`Year.focus`)."""
        return self.year.focus

    def silent_ms(self, as_of_ms: int) -> int:
        """Purchasing time from the last purchase to an instant; never negative."""
        return self.time_in(self.month(as_of_ms)).silent_ms(as_of_ms)

    def time_in(self, month: int) -> MonthTime:
        """How purchasing time passes in a calendar month."""
        first = self.first
        return first if month == first.month else month_time(self.year, self.calendar, month, self.bought)

    def month(self, as_of_ms: int) -> int:
        """The calendar month of an instant: months since January 1970."""
        return calendar_month(self.calendar.local_day(as_of_ms))

    def begins_ms(self, month: int) -> int:
        """The border before a calendar month: the instant at which it begins."""
        return self.calendar.midnight_ms(first_day_of_month(month))

    def reaches(self, silent_ms: int) -> tuple[int, int]:
        """The instant at which so much purchasing time has passed since the last purchase, to the second, and
        its calendar month."""
        years, rest = divmod(self.bought + silent_ms / DAY_MS, YEAR_DAYS)
        place = bisect_right(self.year.begins, rest) - 1
        month = int(years) * MONTHS_OF_YEAR + place
        low_ms, high_ms = self.begins_ms(month), self.begins_ms(month + 1)
        share = (rest - self.year.begins[place]) / self.year.days[place]
        at_ms = low_ms + int(min(share, 1.0) * (high_ms - low_ms))
        return at_ms, month + (at_ms == high_ms)


class MonthTime(NamedTuple):
    """The purchasing time of one customer within a calendar month, in which it passes evenly."""

    month: int
    """Months since January 1970."""
    begins_ms: int
    length_ms: int
    begun: float
    """Purchasing time, in days, from January 1970 to the beginning of the month."""
    days: float
    """Purchasing time of the month."""
    bought: float
    """Purchasing time, in days, from January 1970 to the last purchase."""

    def passed(self, at_ms: int) -> float:
        """Purchasing time, in days, from January 1970 to an instant of the month."""
        return self.begun + self.days * ((at_ms - self.begins_ms) / self.length_ms)

    def silent_ms(self, as_of_ms: int) -> int:
        """Purchasing time from the last purchase to an instant of the month; never negative."""
        passed = self.passed(as_of_ms) - self.bought
        return int(passed * DAY_MS) if passed > 0.0 else 0


def month_time(year: Year, calendar: Calendar, month: int, bought: float = 0.0) -> MonthTime:
    """How purchasing time passes in a calendar month; `bought` is that of the last purchase."""
    begins_ms = calendar.midnight_ms(first_day_of_month(month))
    years, place = divmod(month, MONTHS_OF_YEAR)
    length_ms = calendar.midnight_ms(first_day_of_month(month + 1)) - begins_ms
    begun = years * YEAR_DAYS + year.begins[place]
    return MonthTime(month, begins_ms, length_ms, begun, year.days[place], bought)


def season_of(seasons: Seasons, features: Features) -> Season:
    """The purchasing time of one customer."""
    calendar, last_ms = features.calendar, features.last_ms
    year = year_of(seasons, features.by_month)
    first = month_time(year, calendar, calendar_month(calendar.local_day(last_ms)))
    bought = first.passed(last_ms)
    return Season(year, calendar, bought, MonthTime(*first[:-1], bought))


def passed_days(year: Year, calendar: Calendar, at_ms: int) -> float:
    """Purchasing time, in days, from January 1970 to an instant. It never goes back."""
    return month_time(year, calendar, calendar_month(calendar.local_day(at_ms))).passed(at_ms)


@lru_cache(maxsize=YEARS_REMEMBERED)
def year_of(seasons: Seasons, by_month: tuple[int, ...]) -> Year:
    """The year of customers with so many purchase days in each month of the year."""
    return _year(seasons, tuple(round(share * SHARE_STEPS) for share in kind_shares(seasons, by_month)))


@lru_cache(maxsize=YEARS_REMEMBERED)
def _year(seasons: Seasons, shares: tuple[int, ...]) -> Year:
    """The mean year of kinds of buyers with these weights."""
    months = list(zip(*(kind.months for kind in seasons.kinds), strict=True))
    days = [sum(map(mul, shares, month)) for month in months]
    whole = sum(days)
    days = [one * YEAR_DAYS / whole for one in days]
    even = math.fsum(one * one / length for one, length in zip(days, MONTH_DAYS, strict=True)) / YEAR_DAYS
    return Year(tuple(days), tuple(accumulate(chain((0.0,), days[:-1]))), max(0.0, 1.0 - 1.0 / even))


def kind_shares(seasons: Seasons, by_month: tuple[int, ...]) -> list[float]:
    """Of each kind of buyers, how probable it is that a customer with these months is of it; the sum is 1."""
    fits = [share + sum(map(mul, by_month, months)) for share, months in _logarithms(seasons)]
    best = max(fits)
    odds = [math.exp(fit - best) for fit in fits]
    whole = sum(odds)
    return [one / whole for one in odds]


@lru_cache(maxsize=YEARS_REMEMBERED)
def further_of(seasons: Seasons, further: Further, by_month: tuple[int, ...], ahead_ms: int) -> float:
    """How fast purchases after the next one come for customers with these months within a time: the mean over
    the kinds."""
    each = zip(kind_shares(seasons, by_month), further.factors(ahead_ms), strict=True)
    return math.fsum(share * factor for share, factor in each)


@lru_cache(maxsize=32)
def _logarithms(seasons: Seasons) -> list[tuple[float, tuple[float, ...]]]:
    """Of each kind the logarithm of its share of customers, and those of its months."""
    return [(math.log(kind.share), tuple(map(math.log, kind.months))) for kind in seasons.kinds]
