"""The days of the business: which day an instant falls on by the wall clock of the shop's time zone.

A calendar is data, so that the core reads no file: the instants at which the clock is put forward or back,
and how far it is ahead of UTC from then on. They come from the package `tzdata` (stream/time_zones.py).

Days never go back. Where a clock goes back over midnight (from 00:01 to 23:01 in St. John's, 1987 to 2011),
it counts as put back at midnight: a day begins when the clock will not show an earlier one again. A day that
a zone left out (30 December 2011 in Samoa) keeps its number, and nothing happens on it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from msgspec import Struct

from stream.core.units import DAY_MS


class Calendar(Struct, frozen=True, gc=False):
    """The wall clock of one time zone; by default UTC."""

    zone: str = "UTC"
    """Its name in the IANA database."""
    offsets_ms: tuple[int, ...] = (0,)
    """How far the clock is ahead of UTC: before the first change, then from each of `changes_ms` on."""
    changes_ms: tuple[int, ...] = ()
    """Instants (ms since 1970 UTC, ascending) from which on the next of `offsets_ms` holds."""
    last_days: tuple[int, ...] = ()
    """The day number of the last millisecond before each change."""

    @property
    def is_utc(self) -> bool:
        """Whether its days are those of UTC, whatever the zone is called."""
        return not self.changes_ms and self.offsets_ms == (0,)

    def local_ms(self, at_ms: int) -> int:
        """What the clock shows at an instant, as milliseconds since it showed 1970-01-01 00:00."""
        return at_ms + self.offsets_ms[bisect_right(self.changes_ms, at_ms)]

    def local_day(self, at_ms: int) -> int:
        """The day of an instant: days since 1970-01-01 on the shop's calendar. Later instants, same or later
        days."""
        return (at_ms + self.offsets_ms[bisect_right(self.changes_ms, at_ms)]) // DAY_MS

    def local_days(self, instants_ms: Iterable[int]) -> set[int]:
        """The different days of instants: those of `local_day`."""
        if not self.changes_ms:
            ahead_ms = self.offsets_ms[0]
            return {(at_ms + ahead_ms) // DAY_MS for at_ms in instants_ms}
        return {self.local_day(at_ms) for at_ms in instants_ms}

    def midnight_ms(self, day: int) -> int:
        """The first instant of a day (days since 1970-01-01): the first of which `local_day` is it or later.

        That is 00:00 by the clock, or the instant at which the clock leaps over 00:00.
        """
        if not self.changes_ms:
            return day * DAY_MS - self.offsets_ms[0]
        return self.instant_ms(day * DAY_MS)

    def instant_ms(self, local_ms: int) -> int:
        """The first instant at which the clock shows this time or a later one: `local_ms` the other way."""
        place = bisect_left(self.last_days, local_ms // DAY_MS)
        while place < len(self.changes_ms) and local_ms - self.offsets_ms[place] >= self.changes_ms[place]:
            place += 1
        at_ms = local_ms - self.offsets_ms[place]
        return max(at_ms, self.changes_ms[place - 1]) if place else at_ms


UTC_CALENDAR = Calendar()
"""The calendar of a policy without a zone."""


def calendar_of(zone: str, changes: Iterable[tuple[int, int]], first_offset_ms: int) -> Calendar:
    """The calendar of a zone from its clock's changes: of each the instant, and ms ahead of UTC from then.

    `first_offset_ms`: ms ahead of UTC before the first change. A change that puts the clock back over
    midnight counts from that midnight on.
    """
    offsets, instants, last_days = [first_offset_ms], [], []
    for change_ms, after_ms in changes:
        before_ms = offsets[-1]
        last_day = (change_ms - 1 + before_ms) // DAY_MS
        first_day = (change_ms + after_ms) // DAY_MS
        at_ms = change_ms
        if first_day < last_day:  # day `first_day + 1` has begun already: it is taken to begin later
            at_ms, last_day = (first_day + 1) * DAY_MS - before_ms, first_day
        if after_ms != before_ms:
            instants.append(at_ms)
            offsets.append(after_ms)
            last_days.append(last_day)
    return Calendar(zone, tuple(offsets), tuple(instants), tuple(last_days))
