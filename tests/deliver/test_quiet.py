"""Quiet hours go by the wall clock of their zone, also in the nights in which clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import HOUR_MS
from stream.deliver.plan.quiet import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(21 * 60, 8 * 60, BERLIN)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
MINUTES = st.integers(0, 24 * 60 - 1)
INSTANTS = st.integers(1_700_000_000_000, 1_900_000_000_000)


def ms(text: str, zone=BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("at", "over"),
    [
        ("2026-11-30T20:59:59", "2026-11-30T20:59:59"),
        ("2026-11-30T21:00:00", "2026-12-01T08:00:00"),
        ("2026-12-01T03:00:00", "2026-12-01T08:00:00"),
        ("2026-12-01T07:59:59", "2026-12-01T08:00:00"),
        ("2026-12-01T08:00:00", "2026-12-01T08:00:00"),
        ("2026-03-28T22:00:00", "2026-03-29T08:00:00"),  # clocks go forward in this night
        ("2026-10-24T22:00:00", "2026-10-25T08:00:00"),  # and back in this one
    ],
)
def test_a_night_is_over_at_eight_in_the_morning(at, over):
    assert NIGHT.over_ms(ms(at)) == ms(over)


def test_hours_of_one_day():
    noon = QuietHours(12 * 60, 13 * 60, UTC)

    assert noon.over_ms(ms("2026-11-30T12:30:00", UTC)) == ms("2026-11-30T13:00:00", UTC)
    assert not noon.holds(ms("2026-11-30T13:00:00", UTC))


@given(MINUTES, MINUTES, ZONES, INSTANTS)
def test_they_are_over_when_it_is_said_and_within_a_day_and_an_hour(first, last, zone, at_ms):
    hours = QuietHours(first, last if last != first else (last + 1) % (24 * 60), ZoneInfo(zone))
    over_ms = hours.over_ms(at_ms)

    assert not hours.holds(over_ms)
    assert at_ms <= over_ms <= at_ms + 26 * HOUR_MS
    assert (over_ms == at_ms) == (not hours.holds(at_ms))


@given(MINUTES, MINUTES, ZONES, INSTANTS)
def test_whoever_waits_from_minute_to_minute_is_not_free_much_earlier(first, last, zone, at_ms):
    hours = QuietHours(first, last if last != first else (last + 1) % (24 * 60), ZoneInfo(zone))
    over_ms, step_ms = hours.over_ms(at_ms), at_ms
    while hours.holds(step_ms):
        step_ms += 60_000

    assert over_ms - step_ms <= timedelta(hours=1) / timedelta(milliseconds=1)
