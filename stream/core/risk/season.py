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

from msgspec import Struct

from stream.core.calendar import Calendar
from stream.core.model.features import Features
from stream.core.model.record import Seasons
from stream.core.units import DAY_MS, MONTHS_OF_YEAR, YEAR_MS, calendar_month, first_day_of_month

YEAR_DAYS = YEAR_MS / DAY_MS
MONTH_DAYS = (31.0, 28.2425, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0)
"""Mean length of each month of the year, January first."""
MONTH_BEGINS = tuple(accumulate(chain((0.0,), MONTH_DAYS[:-1])))
"""Days from the beginning of a mean year to that of each month."""
YEARS_REMEMBERED = 1 << 14
"""Different counts of purchase days by month whose years are kept: a shop of 25,000 has some thousands."""


class Year(Struct, frozen=True, gc=False):
    """Days of purchasing time in each month of the year, January first; they add up to a year."""

    days: tuple[float, ...]
    begins: tuple[float, ...]
    """Purchasing time from the beginning of the year to that of each month."""
    focus: float
    """1 less the reciprocal of how fast purchasing time passes, in the mean over itself: 0 for all year
    alike, 0.83 for two months."""

    def horizon(self, days: float, place: int) -> float:
        """Purchasing time, in days, within so many days from the middle of a month (0: January)."""
        middle = MONTH_BEGINS[place] + MONTH_DAYS[place] / 2.0
        return self._by(middle + days) - self._by(middle)

    def _by(self, day: float) -> float:
        """Purchasing time within so many days from the beginning of a mean year."""
        years, rest = divmod(day, YEAR_DAYS)
        place = bisect_right(MONTH_BEGINS, rest) - 1
        return (
            years * YEAR_DAYS
            + self.begins[place]
            + self.days[place] * ((rest - MONTH_BEGINS[place]) / MONTH_DAYS[place])
        )


class Season(Struct, frozen=True, gc=False):
    """The purchasing time of one customer since the last purchase."""

    year: Year
    calendar: Calendar
    bought: float
    """Purchasing time, in days, from January 1970 to the last purchase."""

    @property
    def focus(self) -> float:
        """How much the customer buys in few months (`Year.focus`)."""
        return self.year.focus

    def silent_ms(self, as_of_ms: int) -> int:
        """Purchasing time from the last purchase to an instant; never negative."""
        passed = passed_days(self.year, self.calendar, as_of_ms) - self.bought
        return int(passed * DAY_MS) if passed > 0.0 else 0

    def month(self, as_of_ms: int) -> int:
        """The calendar month of an instant: months since January 1970."""
        return calendar_month(self.calendar.local_day(as_of_ms))

    def begins_ms(self, month: int) -> int:
        """The border before a calendar month: the instant at which it begins."""
        return self.calendar.midnight_ms(first_day_of_month(month))

    def reaches_ms(self, silent_ms: int) -> int:
        """The instant at which so much purchasing time has passed since the last purchase, to the second."""
        years, rest = divmod(self.bought + silent_ms / DAY_MS, YEAR_DAYS)
        place = bisect_right(self.year.begins, rest) - 1
        month = int(years) * MONTHS_OF_YEAR + place
        low_ms, high_ms = self.begins_ms(month), self.begins_ms(month + 1)
        share = (rest - self.year.begins[place]) / self.year.days[place]
        return low_ms + int(min(share, 1.0) * (high_ms - low_ms))


def season_of(seasons: Seasons, features: Features) -> Season:
    """The purchasing time of one customer."""
    year = year_of(seasons, features.by_month)
    return Season(year, features.calendar, passed_days(year, features.calendar, features.last_ms))


def passed_days(year: Year, calendar: Calendar, at_ms: int) -> float:
    """Purchasing time, in days, from January 1970 to an instant. It never goes back."""
    month = calendar_month(calendar.local_day(at_ms))
    low_ms = calendar.midnight_ms(first_day_of_month(month))
    high_ms = calendar.midnight_ms(first_day_of_month(month + 1))
    years, place = divmod(month, MONTHS_OF_YEAR)
    share = (at_ms - low_ms) / (high_ms - low_ms)
    return years * YEAR_DAYS + year.begins[place] + year.days[place] * share


@lru_cache(maxsize=YEARS_REMEMBERED)
def year_of(seasons: Seasons, by_month: tuple[int, ...]) -> Year:
    """The year of customers with so many purchase days in each month of the year."""
    shares = kind_shares(seasons, by_month)
    months = list(zip(*(kind.months for kind in seasons.kinds), strict=True))
    days = [YEAR_DAYS * sum(map(mul, shares, month)) for month in months]
    whole = sum(days)
    days = [one * YEAR_DAYS / whole for one in days]
    even = math.fsum(one * one / length for one, length in zip(days, MONTH_DAYS, strict=True)) / YEAR_DAYS
    return Year(tuple(days), tuple(accumulate(chain((0.0,), days[:-1]))), max(0.0, 1.0 - 1.0 / even))


def kind_shares(seasons: Seasons, by_month: tuple[int, ...]) -> list[float]:
    """Of each kind of buyers, how probable it is that a customer with these months is of it; the sum is 1."""
    fits = [
        math.log(kind.share) + sum(map(mul, by_month, map(math.log, kind.months))) for kind in seasons.kinds
    ]
    best = max(fits)
    odds = [math.exp(fit - best) for fit in fits]
    whole = sum(odds)
    return [one / whole for one in odds]
