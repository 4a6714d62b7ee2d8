"""Sums over the orders of one customer, to which orders are added in order of time."""

from __future__ import annotations

from math import log

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.calendar import Calendar
from stream.core.facts.decay import BASKET_HALF_LIFE_MS, VALUE_HALF_LIFE_MS, weight
from stream.core.facts.meaning import Meaning
from stream.core.facts.months import add_to_month
from stream.core.units import DAY_MS, EPOCH_YEAR, MONTHS_OF_YEAR, calendar_month

DAYPARTS = 4
"""Six hours each, from 00:00 by the clock of the business."""
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; weekday 0 is Monday."""


class Order(Struct, array_like=True, order=True, gc=False):
    """What is kept of one purchase; money in minor units of `currency`."""

    at_ms: int
    order_id: str
    total_minor: int
    discount_minor: int
    units: int
    """Pieces; 0: not known."""
    categories: int
    """How many different ones the basket held; 0: not known."""
    currency: str
    source: str = ""
    """Mark of the `source` of its event (memory/order_match.py); empty in rows of version 1, and then any."""


class Sums(Struct, omit_defaults=True, gc=False):
    """Sums over orders; money in minor units of the customer's currency.

    Days are those of the business (core/calendar.py): numbers of days since 1970-01-01.
    """

    orders: int = 0
    days: int = 0
    """Distinct days with a purchase."""
    units: int = 0
    mix: int = 0
    """Sum over orders of the number of different categories in the basket."""
    gross_minor: int = 0
    """Money paid, refunds not taken off."""
    refunded_minor: int = 0
    discount_minor: int = 0
    foreign_orders: int = 0
    """Orders in another currency, whose money is not in the sums."""
    first_at_ms: int = 0
    last_at_ms: int = 0
    first_day_minor: int = 0
    """Money of the first purchase day, less refunds."""
    last_gap_days: int = 0
    """Between the last two purchase days."""
    gap_square_days: int = 0
    """Sum of the squared gaps between purchase days."""
    recent_days: float = 0.0
    """Purchase days, forward-decayed with a half-life of 90 days (decay.py)."""
    value: float = 0.0
    """Money paid less refunds, forward-decayed with a half-life of 180 days."""
    basket_weight: float = 0.0
    """Orders with a price, forward-decayed with a half-life of 90 days."""
    basket_sum: float = 0.0
    """Money paid, decayed in the same way; over `basket_weight` it is the recent mean basket."""
    weekdays: list[int] = field(default_factory=lambda: [0] * 7)
    """Purchase days by weekday, Monday first."""
    dayparts: list[int] = field(default_factory=lambda: [0] * DAYPARTS)
    """Orders by part of the day."""
    years: list[int] = field(default_factory=list)
    """Calendar years with a purchase."""
    first_day: int = 0
    """The first purchase day."""
    last_day: int = 0
    """The last purchase day."""
    last_midnight_ms: int = 0
    """The instant at which it began; whole days before and after it are counted from it."""
    foreign_refunds: int = 0
    """Refunds in another currency than their order, whose money is not taken off."""

    month_orders: list[int] = field(default_factory=list)
    """Orders by month, a series of the last 25 months (months.py)."""
    month_minor: list[int] = field(default_factory=list)
    """Money paid less refunds by month, such a series. A refund counts in the month of its order; in its own
    month if the order is not kept any more."""
    seasons: list[int] = field(default_factory=lambda: [0] * MONTHS_OF_YEAR)
    """Purchase days by month of the year, January first, of all years. Days that are not in it (`days` less
    its sum) were counted by version 1."""
    gap_log_sum: float = 0.0
    """Sum of the natural logarithms of the gaps between purchase days, each in days. With their number and
    their sum it is all that the likelihood of gamma gaps needs (Platzer & Reutterer: Ticking Away the
    Moments, Marketing Science 2016)."""
    unknown_gaps: int = 0
    """Gaps whose logarithms are not in the sum, because version 1 counted them."""
    units_known: int = 0
    """Orders of which the pieces are known: those that `units` is of."""
    mix_known: int = 0
    """Orders of which a category is known: those that `mix` is of."""
    unpriced_orders: int = 0
    """Orders in the customer's currency without a price: what they were worth is not known, or nothing."""

    @property
    def first_midnight_ms(self) -> int:
        """The instant so many whole days before `last_midnight_ms` as lie between the first and the last
        purchase day. Where the clock was changed in between, the first day began an hour from it."""
        return self.last_midnight_ms - (self.last_day - self.first_day) * DAY_MS

    def add(self, order: Order, refunded_minor: int, currency: str, meaning: Meaning) -> None:
        """Add an order that is not earlier than those before it. Money of another currency is not added."""
        at_ms = order.at_ms
        local_ms = meaning.calendar.local_ms(at_ms)
        day = local_ms // DAY_MS
        month = calendar_month(day)
        add_to_month(self.month_orders, month, 1)
        if not self.orders:
            self.first_at_ms, self.first_day = at_ms, day
            self._add_day(day, month, meaning.calendar)
        elif day != self.last_day:
            self.last_gap_days = day - self.last_day
            self.gap_square_days += self.last_gap_days * self.last_gap_days
            self.gap_log_sum += log(self.last_gap_days)
            self._add_day(day, month, meaning.calendar)
        self.dayparts[local_ms % DAY_MS * DAYPARTS // DAY_MS] += 1
        self.last_at_ms = at_ms
        self.orders += 1
        if order.units:
            self.units += order.units
            self.units_known += 1
        if order.categories:
            self.mix += order.categories
            self.mix_known += 1
        if order.currency == currency:
            self._add_money(order, refunded_minor, month)
        else:
            self.foreign_orders += 1

    def _add_day(self, day: int, month: int, calendar: Calendar) -> None:
        self.days += 1
        self.last_day, self.last_midnight_ms = day, calendar.midnight_ms(day)
        self.recent_days += weight(day * DAY_MS, BASKET_HALF_LIFE_MS)
        self.weekdays[(day + EPOCH_WEEKDAY) % 7] += 1
        years, place = divmod(month, MONTHS_OF_YEAR)
        self.seasons[place] += 1
        year = EPOCH_YEAR + years
        if not self.years or self.years[-1] != year:
            self.years.append(year)

    def _add_money(self, order: Order, refunded_minor: int, month: int) -> None:
        at_ms, total_minor = order.at_ms, order.total_minor
        net_minor = total_minor - refunded_minor
        self.gross_minor += total_minor
        self.refunded_minor += refunded_minor
        self.discount_minor += order.discount_minor
        if self.last_day == self.first_day:
            self.first_day_minor += net_minor
        self.value += net_minor * weight(at_ms, VALUE_HALF_LIFE_MS)
        if total_minor:
            recent = weight(at_ms, BASKET_HALF_LIFE_MS)
            self.basket_weight += recent
            self.basket_sum += recent * total_minor
        else:
            self.unpriced_orders += 1
        add_to_month(self.month_minor, month, net_minor)

    def take_off(self, refunded_minor: int, at_ms: int, meaning: Meaning) -> None:
        """Take off a refund that is of no order added here; `at_ms`: the instant as of which it counts."""
        self.refunded_minor += refunded_minor
        self.value -= refunded_minor * weight(at_ms, VALUE_HALF_LIFE_MS)
        month = calendar_month(meaning.calendar.local_day(at_ms))
        add_to_month(self.month_minor, month, -refunded_minor)

    def copy(self) -> Sums:
        """An independent copy."""
        return replace(
            self,
            weekdays=self.weekdays[:],
            dayparts=self.dayparts[:],
            years=self.years[:],
            month_orders=self.month_orders[:],
            month_minor=self.month_minor[:],
            seasons=self.seasons[:],
        )


def priced_orders(sums: Sums) -> int:
    """Orders that a mean basket is of: those with a price in the customer's currency."""
    return sums.orders - sums.foreign_orders - sums.unpriced_orders


def monetary_minor(sums: Sums) -> float:
    """Mean money of a repeat purchase day, less refunds; the first day is left out. 0 if there is none."""
    if sums.days < 2:
        return 0.0
    spent_minor = sums.gross_minor - sums.refunded_minor - sums.first_day_minor
    return max(0.0, spent_minor / (sums.days - 1))
