"""For how many days something has lasted, as people count them: by the calendar, not in spans of 24 hours.

A list says that the last purchase was 28 days ago; the reason of the alert beside it has measured 27.4 days.
Both count midnights of the shop's calendar, so that one silence has one number of days wherever it is said.
"""

from __future__ import annotations

from msgspec.structs import replace

from stream.core.alerts.alert import Evidence, instant_of
from stream.core.alerts.amounts import lasted_days
from stream.core.calendar import Calendar
from stream.core.units import DAY_MS

PURCHASE = "days_since_purchase"
SINCE = (PURCHASE, "days_since_engagement", "days_unresolved")
"""Features whose number of days begins with something that happened."""
ROUNDED_MS = 44_000
"""What is observed is rounded to thousandths of a day."""


def in_whole_days(reason: Evidence, last_purchase: str | None, as_of_ms: int, calendar: Calendar) -> Evidence:
    """The reason with its days counted by the calendar, as of the instant for which it was judged.

    `last_purchase`: RFC 3339, exact where the reason is about it. What is shorter than a day stays as it is.
    """
    if reason.feature not in SINCE or reason.observed < 1.0:
        return reason
    if reason.feature == PURCHASE and last_purchase:
        start_ms = instant_of(last_purchase)
    else:
        start_ms = _began(as_of_ms - round(reason.observed * DAY_MS), calendar)
    return replace(reason, observed=lasted_days(start_ms, as_of_ms, calendar))


def since_later(reason: Evidence, passed_ms: int) -> Evidence:
    """The reason so much later: what has lasted since something has lasted longer."""
    if reason.feature not in SINCE or passed_ms <= 0:
        return reason
    return replace(reason, observed=reason.observed + passed_ms / DAY_MS)


def _began(about_ms: int, calendar: Calendar) -> int:
    """The instant of which the rounded one is known; one just before midnight is taken for midnight."""
    midnight_ms = calendar.midnight_ms(calendar.local_day(about_ms) + 1)
    return midnight_ms if midnight_ms - about_ms <= ROUNDED_MS else about_ms
