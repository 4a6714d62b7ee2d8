"""Units that more than one room counts in: time in milliseconds, calendar years and shares."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from msgspec import Meta

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
YEAR_MS = 31_556_952_000
"""The mean Gregorian year: 365.2425 days."""
FOREVER_MS = 1 << 62
"""Later than any instant and longer than any duration; still a signed 64-bit number after an addition."""

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole, or a probability: 0 to 1."""


MONTHS_OF_YEAR = 12
EPOCH_YEAR = 1970


@lru_cache(maxsize=1_024)
def calendar_month(day: int) -> int:
    """The Gregorian month of a day number (days since 1970-01-01): months since January 1970, which is 0.

    Without a calendar object. Howard Hinnant, chrono-compatible low-level date algorithms: `civil_from_days`.
    """
    shifted = day + 719_468
    era_day = shifted % 146_097
    year_of_era = (era_day - era_day // 1_460 + era_day // 36_524 - era_day // 146_096) // 365
    day_of_year = era_day - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_year = year_of_era + shifted // 146_097 * 400  # years that begin in March, as do their months
    march_month = (5 * day_of_year + 2) // 153
    return (march_year - EPOCH_YEAR) * MONTHS_OF_YEAR + march_month + 2


@lru_cache(maxsize=4_096)
def first_day_of_month(month: int) -> int:
    """The day number on which a month (months since January 1970) begins: `calendar_month` the other way.

    Howard Hinnant, chrono-compatible low-level date algorithms: `days_from_civil`.
    """
    year, march_month = divmod(month - 2, MONTHS_OF_YEAR)  # years that begin in March, as do their months
    year += EPOCH_YEAR
    leap_days = year // 4 - year // 100 + year // 400
    return year * 365 + leap_days + (153 * march_month + 2) // 5 - 719_468
