"""In which months of the year a customer mostly buys, where that is clear, and which of them comes next.

The months are those of the model's kinds of buyers (risk/season.py). They explain a risk and are no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from stream.core.model.features import Features
from stream.core.model.record import Model
from stream.core.risk.season import kind_shares
from stream.core.units import MONTHS_OF_YEAR, calendar_month

MOSTLY = 0.6
"""Months in which so much of a year is bought are those in which somebody mostly buys ..."""
MONTHS_NAMED_MAX = 3
"""... if they are no more than these."""
CLEAR_FROM = 0.8
"""A customer's months are clear from this probability on that they are those of their kind of buyers."""


class BuyingMonths(Struct, frozen=True):
    """The months in which one customer mostly buys, as seen at an instant."""

    places: tuple[int, ...]
    """Months of the year, ascending, 0: January."""
    next_month: int
    """The first of them that is not over: months since January 1970."""
    is_missed: bool
    """Whether such months have passed as a whole since the last purchase, without one."""


def main_months(shares: Sequence[float]) -> tuple[int, ...]:
    """The months, ascending, 0: January, in which somebody mostly buys, from the share of each month; none
    for who buys all year."""
    order = sorted(range(MONTHS_OF_YEAR), key=lambda place: -shares[place])
    for number in range(1, MONTHS_NAMED_MAX + 1):
        if sum(shares[place] for place in order[:number]) >= MOSTLY:
            return tuple(sorted(order[:number]))
    return ()


def buying_months(features: Features | None, model: Model, as_of_ms: int) -> BuyingMonths | None:
    """The months in which a customer mostly buys; None for who buys all year or has not bought yet, where it
    is not clear, and by a model that knows no seasons.

    Kinds of buyers with the same months count together.
    """
    if model.seasons is None or features is None or not features.by_month:
        return None
    found: dict[tuple[int, ...], float] = {}
    kinds = model.seasons.kinds
    for kind, share in zip(kinds, kind_shares(model.seasons, features.by_month), strict=True):
        places = main_months(kind.months)
        found[places] = found.get(places, 0.0) + share
    places = next((one for one, share in found.items() if share > CLEAR_FROM), ())
    if not places:
        return None
    last, now = (calendar_month(features.calendar.local_day(at)) for at in (features.last_ms, as_of_ms))
    coming = next(month for month in range(now, now + MONTHS_OF_YEAR) if month % MONTHS_OF_YEAR in places)
    return BuyingMonths(places, coming, _is_missed(places, last, now))


def _is_missed(places: tuple[int, ...], last: int, now: int) -> bool:
    """Whether months in a row that are among these places have passed from the first to the last of them
    between two calendar months, without those that the earlier one belongs to."""
    inside = [month % MONTHS_OF_YEAR in places for month in range(last, max(last, now) + 1)]
    begins = inside.index(False) if False in inside else len(inside)
    return any(before and not after for before, after in pairwise(inside[begins:]))
