"""The days of the business: wall calendars of zones, checked against the standard library's zoneinfo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.calendar import UTC_CALENDAR
from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from stream.time_zones import calendar_in, zone_info, zone_names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN_MS, END_MS = (
    round((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000 for year in (1901, 2100)
)
STRANGE = (
    "Asia/Kathmandu",  # 5:45 ahead, 5:30 before 1986
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Sao_Paulo",  # summer time from midnight to midnight
    "Pacific/Apia",  # no 30 December 2011
    "Africa/Monrovia",  # 44 minutes and 30 seconds behind UTC, until 1972
    "America/St_Johns",  # put back from 00:01 to 23:01, 1987 to 2011
    "America/Havana",  # put back from 01:00 to 00:00
    "Africa/Casablanca",  # back for Ramadan
    "Pacific/Kwajalein",  # no 21 August 1993
    "Antarctica/Troll",
    "Europe/Dublin",
    "Europe/Berlin",
)
LATER_MINUTES = (0, 15, 30, 45, 60, 90, 120, 180, 720, 1_440)
"""After which a clock that goes back over midnight shows the earlier day: it goes back by less than a day."""
instants = st.integers(BEGIN_MS, END_MS)


def ms(text: str) -> int:
    """An instant from RFC 3339 text."""
    return round((datetime.fromisoformat(text) - EPOCH) / timedelta(milliseconds=1))


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def shown_day(zone, at_ms: int) -> int:
    """The day that the clock shows, by zoneinfo."""
    shown = (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
    return shown.date().toordinal() - date(1970, 1, 1).toordinal()


def expected_day(zone, at_ms: int) -> int:
    """The earliest day that the clock shows from this instant on: it may go back over midnight."""
    return min(shown_day(zone, at_ms + minutes * MINUTE_MS) for minutes in LATER_MINUTES)


def near_changes(name):
    """Instants around the changes of a zone's clock, and any others."""
    changes = calendar_in(name).changes_ms
    near = st.builds(
        lambda change_ms, more_ms: min(END_MS, max(BEGIN_MS, change_ms + more_ms)),
        st.sampled_from(changes or (0,)),
        st.integers(-26 * HOUR_MS, 26 * HOUR_MS),
    )
    return near | instants


@pytest.mark.parametrize("name", STRANGE)
@given(data=st.data())
def test_the_day_of_an_instant_is_the_one_that_the_clock_of_the_zone_shows(name, data):
    at_ms = data.draw(near_changes(name))
    assert calendar_in(name).local_day(at_ms) == expected_day(zone_info(name), at_ms)
    assert calendar_in(name).local_days([at_ms]) == {calendar_in(name).local_day(at_ms)}


@pytest.mark.parametrize("name", STRANGE)
@given(data=st.data())
def test_a_day_begins_at_the_first_instant_of_which_it_is_the_day(name, data):
    calendar = calendar_in(name)
    day = calendar.local_day(data.draw(near_changes(name))) + data.draw(st.integers(-1, 1))
    begin_ms = calendar.midnight_ms(day)
    assert calendar.local_day(begin_ms) >= day > calendar.local_day(begin_ms - 1)


@pytest.mark.slow
def test_every_zone_of_the_package_has_days_that_never_go_back_and_begin_where_they_begin():
    one_name = {calendar_in(name).changes_ms: name for name in sorted(zone_names())}
    for name in one_name.values():
        calendar, zone = calendar_in(name), zone_info(name)
        assert list(calendar.changes_ms) == sorted(set(calendar.changes_ms)), name
        for change_ms in (each for each in calendar.changes_ms if each > ms("1985-01-01T00:00:00+00:00")):
            around = [change_ms + more_ms for more_ms in (-HOUR_MS, -1, 0, HOUR_MS - 1, HOUR_MS)]
            days = [calendar.local_day(at_ms) for at_ms in around]
            assert days == [expected_day(zone, at_ms) for at_ms in around], (name, change_ms)
            assert days == sorted(days), name
            for day in set(days):
                begin_ms = calendar.midnight_ms(day)
                assert calendar.local_day(begin_ms) >= day > calendar.local_day(begin_ms - 1), (name, day)


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/Berlin", "2026-01-01T22:59:59.999+00:00", "2026-01-01"),
        ("Europe/Berlin", "2026-01-01T23:00:00+00:00", "2026-01-02"),
        ("Europe/Berlin", "2026-07-01T22:00:00+00:00", "2026-07-02"),  # summer time
        ("America/Sao_Paulo", "2018-11-04T02:59:59.999+00:00", "2018-11-03"),  # then the clock leaps to 01:00
        ("America/Sao_Paulo", "2018-11-04T03:00:00+00:00", "2018-11-04"),
        ("America/Sao_Paulo", "2018-02-18T02:30:00+00:00", "2018-02-17"),  # 23:30 for the second time
        ("America/St_Johns", "2010-11-07T02:30:30+00:00", "2010-11-06"),  # 00:00:30, and soon 23:01 again
        ("America/St_Johns", "2010-11-07T03:30:00+00:00", "2010-11-07"),
        ("Pacific/Apia", "2011-12-30T09:59:59.999+00:00", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00", "2011-12-31"),
        ("Asia/Kathmandu", "2026-01-01T18:15:00+00:00", "2026-01-02"),
        ("Africa/Monrovia", "1971-06-01T00:44:29.999+00:00", "1971-05-31"),
        ("Africa/Monrovia", "1971-06-01T00:44:30+00:00", "1971-06-01"),
        ("UTC", "2026-01-01T23:59:59.999+00:00", "2026-01-01"),
        ("UTC", "2026-01-02T00:00:00+00:00", "2026-01-02"),
        ("Europe/Berlin", "2099-07-01T22:00:00+00:00", "2099-07-02"),  # by the rule that goes on for ever
    ],
)
def test_the_day_of_an_instant_by_the_clock_of_the_shop(zone, at, day):
    assert calendar_in(zone).local_day(ms(at)) == day_number(day)


@pytest.mark.parametrize(
    ("zone", "day", "begin"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00"),
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00+00:00"),  # after a day of 23 hours
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00+00:00"),  # after one of 25
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00+00:00"),  # there was no 00:00
        (
            "Pacific/Apia",
            "2011-12-30",
            "2011-12-30T10:00:00+00:00",
        ),  # the day that was left out: the next one's
        ("America/Havana", "2018-11-04", "2018-11-04T04:00:00+00:00"),  # 00:00 for the first time
        ("UTC", "2026-01-02", "2026-01-02T00:00:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_by_the_clock_of_the_shop(zone, day, begin):
    assert calendar_in(zone).midnight_ms(day_number(day)) == ms(begin)


@given(instants)
def test_days_of_utc_are_whole_days_since_1970(at_ms):
    assert UTC_CALENDAR.local_day(at_ms) == at_ms // DAY_MS
    assert UTC_CALENDAR.midnight_ms(at_ms // DAY_MS) == at_ms // DAY_MS * DAY_MS
    assert UTC_CALENDAR.local_days([at_ms]) == {at_ms // DAY_MS}
    assert calendar_in("UTC") is UTC_CALENDAR
