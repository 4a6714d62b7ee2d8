"""Facts by calendar month of the business: the last 25 months, so that a month can be compared with the same
one of the two years before.

A list of months is sparse and ascending; a month in which nothing happened is not in it. It reaches back from
its newest month, so that it comes out the same in any order of arrival: what is older than 25 months when it
arrives would have been dropped by the newer ones as well.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import Protocol, TypeVar

from msgspec import Struct

MONTHS_KEPT = 25


class _OfMonth(Protocol):
    month: int


M = TypeVar("M", bound=_OfMonth)
_MONTH: Callable[[_OfMonth], int] = attrgetter("month")


class MonthBought(Struct, array_like=True, gc=False):
    """Purchases of one month."""

    month: int
    """Months since January 1970 (units.calendar_month)."""
    orders: int = 0
    days: int = 0
    """Distinct days with a purchase."""
    net_minor: int = 0
    """Money paid less refunds, minor units of the customer's currency. A refund counts in the month of its
    order; in its own month if the order is not kept any more."""


class MonthEngaged(Struct, array_like=True, gc=False):
    """Engagement of one month."""

    month: int
    """Months since January 1970."""
    activities: int = 0
    """What the customer did: visits, views, searches, openings, clicks ..."""


class MonthSaid(Struct, array_like=True, gc=False):
    """Feedback of one month."""

    month: int
    """Months since January 1970."""
    count: int = 0
    """Pieces of feedback that have a sentiment."""
    sentiment_sum: float = 0.0
    """Sum of their sentiments (each -1 to 1)."""


def of_month(months: list[M], month: int, made: Callable[[int], M]) -> M | None:
    """The entry of a month, made and put in its place if it is new; None: it is older than those kept.

    A new newest month lets the oldest go.
    """
    if months:
        newest = months[-1].month
        if month == newest:
            return months[-1]
        if month < newest:
            if month <= newest - MONTHS_KEPT:
                return None
            place = bisect_left(months, month, key=_MONTH)
            if months[place].month != month:
                months.insert(place, made(month))
            return months[place]
    months.append(made(month))
    while months[0].month <= month - MONTHS_KEPT:
        del months[0]
    return months[-1]
