"""Time zones by the rules of the pinned package `tzdata` alone, so that every machine gives the same days.

The rules of the operating system are never read: they differ from machine to machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from struct import calcsize, unpack_from
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.core.calendar import UTC_CALENDAR, Calendar, calendar_of
from stream.core.units import SECOND_MS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN_S, END_S = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1900, 2101))
"""Calendars know the changes of the clock between these: events are of the years 1990 to 2099."""
STEP_S = 7 * 86_400
"""Rules that go on for ever (summer time) change the clock at most once in a week."""
HEADER = ">4sc15x6l"
"""Of a TZif file (RFC 8536): magic, version, six counts, of which the fourth is that of the changes."""


@lru_cache(1)
def zone_names() -> frozenset[str]:
    """The names of the IANA database that `tzdata` knows, links such as `US/Eastern` included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def tzdata_version() -> str:
    """The version of the package whose rules are used, such as `2026.6`."""
    return version("tzdata")


@lru_cache(64)
def zone_info(name: str) -> ZoneInfo:
    """The zone of this IANA name; ZoneInfoNotFoundError where `tzdata` has none, spelt just so."""
    if name not in zone_names():
        raise ZoneInfoNotFoundError(name)
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@lru_cache(64)
def calendar_in(name: str) -> Calendar:
    """The calendar of a zone, years 1900 to 2100; ZoneInfoNotFoundError where `tzdata` has no such zone."""
    zone = zone_info(name)
    instants_s = sorted({at_s for at_s in _stated_s(name) if BEGIN_S < at_s < END_S})
    instants_s += _ruled_s(zone, instants_s[-1] if instants_s else BEGIN_S)
    changes = [(at_s * SECOND_MS, _ahead_s(zone, at_s) * SECOND_MS) for at_s in instants_s]
    calendar = calendar_of(name, changes, _ahead_s(zone, BEGIN_S) * SECOND_MS)
    return UTC_CALENDAR if calendar.is_utc and name == UTC_CALENDAR.zone else calendar


def _stated_s(name: str) -> tuple[int, ...]:
    """The changes of the clock that the zone's file lists one by one, in seconds since 1970."""
    content = files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    size = calcsize(HEADER)
    _, _, ut, standard, leaps, changes, types, characters = unpack_from(HEADER, content)
    second = size + changes * 5 + types * 6 + characters + leaps * 8 + standard + ut  # times of 64 bits
    changes = unpack_from(HEADER, content, second)[5]
    return unpack_from(f">{changes}q", content, second + size)


def _ruled_s(zone: ZoneInfo, after_s: int) -> Iterator[int]:
    """The changes after the listed ones, by the rule at the end of the file: found by looking."""
    while after_s < END_S:
        later_s = after_s + STEP_S
        if _ahead_s(zone, after_s) != _ahead_s(zone, later_s):
            low, high = after_s, later_s
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _ahead_s(zone, middle) == _ahead_s(zone, low) else (low, middle)
            yield high
        after_s = later_s


def _ahead_s(zone: ZoneInfo, at_s: int) -> int:
    """How far the zone's clock is ahead of UTC at an instant, in seconds."""
    ahead = (EPOCH + timedelta(seconds=at_s)).astimezone(zone).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds())
