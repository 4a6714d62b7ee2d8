"""Numbers as people say them: money with the decimals of its currency, durations, dates, months, shares,
counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.currency import currency_digits
from stream.core.risk.buying_months import main_months
from stream.core.units import DAY_MS, EPOCH_YEAR, MONTHS_OF_YEAR

CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
"""Currencies whose sign stands before the amount; for all others the ISO 4217 code stands after it."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""In English whatever the locale of the process."""

ISO_DAY = re.compile(r"(?<![\w./-])(\d{4})-(\d{2})-(\d{2})(?![\w/-])")

NEUTRAL_BELOW, VERY_FROM = 0.2, 0.6
"""Sentiments below 0.2 either way are neutral; from 0.6 on they are very positive or very negative."""


def money(minor: float, currency: str, *, rounded: bool = False) -> str:
    """`$1,234.50`, `¥1,234`, `12.345 KWD`; `rounded` to whole units from 10 on, for estimates."""
    decimals = currency_digits(currency)
    amount = abs(round(minor)) / 10**decimals
    whole = rounded and (amount >= 10 or not round(minor))
    shown = f"{amount:,.0f}" if whole else f"{amount:,.{decimals}f}"
    sign = "-" if round(minor) < 0 else ""
    if currency in CURRENCY_SIGNS:
        return f"{sign}{CURRENCY_SIGNS[currency]}{shown}"
    return f"{sign}{shown} {currency}".rstrip()


def most_bring(low_minor: float, high_minor: float, currency: str, who: str = "") -> str:
    """The 10th and the 90th percentile of an estimate: `8 in 10 between $10 and $90`; where one in ten comes
    to nothing `9 in 10 at most $90`. `who` stands after the number, such as ` such customers bring`."""
    low, high = (money(minor, currency, rounded=True) for minor in (low_minor, high_minor))
    return f"8 in 10{who} between {low} and {high}" if round(low_minor) else f"9 in 10{who} at most {high}"


def count(number: float, one: str, many: str = "") -> str:
    """`1 order`, `3 orders`, `1,200 orders`."""
    whole = round(number)
    return f"{whole:,} {one if whole == 1 else many or one + 's'}"


def days(number: float) -> str:
    """A duration: below one day in hours, from 60 days on in months, from 730 on in years."""
    if number < 1:
        hours = round(number * 24)
        return count(hours, "hour") if hours else "less than an hour"
    if number < 60:
        return count(number, "day")
    if number < 730:
        return count(number / 30.44, "month")
    return f"{number / 365.25:.1f} years"


def ago(at_ms: int, as_of_ms: int, calendar: Calendar) -> str:
    """How long an instant is past at another one, both in milliseconds since 1970, in whole days of the
    calendar: `today`, `yesterday`, `3 days ago`, `5 months ago`."""
    whole = calendar.local_day(as_of_ms) - calendar.local_day(at_ms)
    if whole < 2:
        return "yesterday" if whole == 1 else "today"
    return f"{days(whole)} ago"


def lasted_days(at_ms: int, as_of_ms: int, calendar: Calendar) -> float:
    """How long something has lasted, in days: from a day on whole days of the calendar, as in `ago`; below it
    the share of a day."""
    if as_of_ms - at_ms < DAY_MS:
        return max(0.0, (as_of_ms - at_ms) / DAY_MS)
    return float(calendar.local_day(as_of_ms) - calendar.local_day(at_ms))


def every(number: float) -> str:
    """`every day`, `every 9 days`."""
    whole = max(1, round(number))
    return "every day" if whole == 1 else f"every {whole} days"


def share(part: float) -> str:
    """`71%`; but `under 1%` and `over 99%`, since rounding to 0% or 100% would claim certainty."""
    if 0 < part < 0.01:
        return "under 1%"
    if 0.99 < part < 1:
        return "over 99%"
    return f"{part:.0%}"


def date(at: int | str, calendar: Calendar = UTC_CALENDAR) -> str:
    """`2 May 2018`: the day of the business, of an instant in milliseconds since 1970 or RFC 3339 text."""
    at_ms = round(datetime.fromisoformat(at).timestamp() * 1_000) if isinstance(at, str) else at
    when = datetime.fromtimestamp(calendar.local_ms(at_ms) / 1_000, UTC)
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def with_dates(text: str) -> str:
    """A sentence in which days such as `2018-05-02` are written as dates are: `2 May 2018`."""
    return ISO_DAY.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    year, month, day = map(int, found.groups())
    return f"{day} {MONTHS[month - 1]} {year}" if 1 <= month <= MONTHS_OF_YEAR and day else found[0]


def months_words(shares: Sequence[float]) -> str:
    """When in the year somebody buys, from the share of each month, January first: `all year`, or `mostly in
    November and December`."""
    places = main_months(shares)
    return f"mostly in {month_names(places)}" if places else "all year"


def month_names(places: Sequence[int]) -> str:
    """Months of the year, 0: January, in words: `November and December`."""
    return listed([MONTHS[place] for place in places])


def month_text(month: int) -> str:
    """`2024-11`: a calendar month, given as months since January 1970."""
    years, place = divmod(month, MONTHS_OF_YEAR)
    return f"{EPOCH_YEAR + years}-{place + 1:02d}"


def month_of_year(month: str) -> str:
    """`November 2024`, of `2024-11`."""
    year, _, number = month.partition("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def sentiment_word(sentiment: float) -> str:
    """A sentiment from -1 to 1 as a word; it agrees with the number rounded to one decimal."""
    shown = round(sentiment, 1)
    if abs(shown) < NEUTRAL_BELOW:
        return "neutral"
    word = "positive" if shown > 0 else "negative"
    return f"very {word}" if abs(shown) >= VERY_FROM else word
