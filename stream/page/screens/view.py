"""What all screens share: the filters of a URL, days of the shop, and numbers in words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from msgspec import Struct

from stream.core.alerts.alert import rfc3339
from stream.core.calendar import Calendar
from stream.core.currency import currency_digits
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import ALERT_KINDS
from stream.page.masks import Masks
from stream.wording.amounts import ago, date, money

KIND_TABS = {
    "at_risk_loyal": "Loyal customers at risk",
    "churn_risk": "Likely to leave",
    "upgrade_opportunity": "Ready for the next tier",
}
assert set(KIND_TABS) == set(ALERT_KINDS)
BETWEEN = "~"
"""Separates the parts of a cursor: the place in a list where the next page begins."""


class FilterError(ValueError):
    """A filter of the URL that cannot be: the text names it and what is allowed."""


class View(Struct, frozen=True):
    """What screens need beside the store: as of when, by which policy, from where."""

    basis: Basis
    as_of_ms: int
    source: str
    """Where the rows come from, in words."""
    has_alerts: bool
    notes: tuple[str, ...] = ()
    """What is to be said of the whole, such as that another policy judged."""
    masks: Masks | None = None
    """How ids are masked; None: they are shown."""
    policies: tuple[str, ...] = ()
    """Which policy is in force in the workers and which is a shadow, in words; empty: nobody knows."""

    def shown(self, customer: str) -> str:
        """The id as people see it."""
        return customer if self.masks is None else self.masks.of(customer)

    @property
    def calendar(self) -> Calendar:
        """The days of the shop."""
        return self.basis.meaning.calendar

    @property
    def today_ms(self) -> int:
        """The midnight at which the day of `as_of_ms` began."""
        return self._midnight_ms(0)

    @property
    def yesterday_ms(self) -> int:
        """The midnight at which the day before began."""
        return self._midnight_ms(1)

    def day_starts_ms(self, count: int) -> list[int]:
        """The midnights at which the last `count` days began, that of `as_of_ms` as the last."""
        return [self._midnight_ms(back) for back in reversed(range(count))]

    def _midnight_ms(self, days_back: int) -> int:
        return self.calendar.midnight_ms(self.calendar.local_day(self.as_of_ms) - days_back)

    def quiet_ms(self, days_back: int) -> int:
        """The midnight so many days before the one at which the day of `as_of_ms` began."""
        return self._midnight_ms(days_back)

    def date(self, at_ms: int) -> str:
        """`2 May 2018`: the day of an instant on the shop's calendar."""
        return date(self.calendar.local_ms(at_ms))

    def iso_day(self, at_ms: int) -> str:
        """`2018-05-02`; empty for 0, which is no instant."""
        return rfc3339(self.calendar.local_ms(at_ms))[:10] if at_ms else ""

    @property
    def zone(self) -> str:
        """The time zone of all days, in words."""
        return self.calendar.zone

    def tier_name(self, rank: int) -> str:
        """The name on the policy's ladder; of a rank below it `not ranked`."""
        names = self.basis.tier_names
        if rank < 0:
            return "not ranked"
        return names[rank] if 0 <= rank < len(names) else f"tier {rank + 1}"

    def ago(self, at_ms: int) -> str:
        """`today`, `yesterday`, `3 days ago`, `5 months ago`: whole days of the shop's calendar."""
        return ago(at_ms, self.as_of_ms, self.calendar)

    def tier_move(self, before: int, now: int, since_ms: int) -> str:
        """`up from gold 3 months ago`; empty where there was no move."""
        if before < 0 or before == now:
            return ""
        way = "up" if now > before else "down"
        return f"{way} from {self.tier_name(before)} {self.ago(since_ms)}"


class Chip(NamedTuple):
    """A filter that is in force, and the URL without it."""

    words: str
    without: str


class Tab(NamedTuple):
    """A way to another list; `here` marks the one that is shown."""

    title: str
    customers: int
    url: str
    here: bool


class Choice(NamedTuple):
    """One value of a filter that can be chosen."""

    value: str
    words: str
    chosen: bool


def first_day_of_month(month: int) -> int:
    """The day number (days since 1970-01-01) of the first of a month (months since January 1970)."""
    return (datetime.date(1970 + month // 12, month % 12 + 1, 1) - datetime.date(1970, 1, 1)).days


def choices(values: Mapping[str, str], chosen: str) -> list[Choice]:
    """The values of a filter with their words, and `any` in front."""
    return [Choice("", "any", not chosen), *(Choice(v, w, v == chosen) for v, w in values.items())]


def url(path: str, filters: Mapping[str, str]) -> str:
    """The path with the filters that are set."""
    query = urlencode({name: text for name, text in filters.items() if text})
    return f"{path}?{query}" if query else path


WHOLE = re.compile(r"-?\d{1,18}", re.ASCII).fullmatch
"""Of a whole number that both stores can hold."""


def one_of(name: str, text: str, allowed: Iterable[str]) -> str:
    """The text, or FilterError: it must be empty or one of those allowed."""
    names = list(allowed)
    if text and text not in names:
        raise FilterError(f"{name} is {text!r}; allowed: {', '.join(names)}, or nothing")
    return text


def known_filters(query: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The filters of a query string; FilterError for one of another name."""
    for name in query:
        if name not in names:
            raise FilterError(f"there is no filter {name!r}; there are: {', '.join(names)}")
    return {name: query.get(name, "").strip() for name in names}


def cursor_parts(after: str, count: int) -> list[str]:
    """The parts of a cursor, the last of which may hold anything; FilterError where it is none."""
    parts = after.split(BETWEEN, count - 1)
    if len(parts) != count:
        raise FilterError("`after` is not a place in this list: go back to its first page")
    return parts


def number(text: str) -> float:
    """A number of a cursor, whole where it was whole; FilterError.

    PostgreSQL finds no place in an index of whole numbers by a fraction: it sorts all rows.
    """
    try:
        return int(text) if WHOLE(text) else float(text)
    except ValueError:
        raise FilterError(f"`after` holds {text!r}, which is no number: go to the first page") from None


def estimate(minor: float, currency: str) -> str:
    """An estimated amount of money, in whole units from 10 on."""
    return money(minor, currency, rounded=True)


def plain_amount(minor: int, currency: str) -> str:
    """An amount for a spreadsheet: `1234.50`, without sign of the currency or thousands."""
    digits = currency_digits(currency)
    return f"{minor / 10**digits:.{digits}f}"
