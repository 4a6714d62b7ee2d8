"""The facts of buying count the shop's days: law 1 holds in any time zone, and laws of whole days."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts.profile import Episode
from stream.core.facts.rhythm import rhythm
from stream.core.judgement.standing import features_of, habit_of, standing
from stream.core.step import on_event
from stream.core.units import DAY_MS, HOUR_MS, WEEK_MS
from stream.core.value.rfm import summary
from tests.support.builders import START, basis, bought, refunded, visited
from tests.support.laws import assert_same_facts, lived
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives, mixtures

ZONES = (
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Monrovia",
    "America/St_Johns",
    "Europe/Berlin",
    "UTC",
)
BERLIN = "[business]\nzone = 'Europe/Berlin'\n"


def basis_in(zone: str):
    return basis(f"[business]\nzone = '{zone}'\n")


def purchase(at: str, minor: int = 5_000, order: str | None = None):
    """A purchase at an instant of RFC 3339 text."""
    return bought((datetime.fromisoformat(at) - START) / timedelta(days=1), minor, order)


def sums_of(*instants: str, zone: str = "Europe/Berlin"):
    return lived([purchase(at) for at in instants], basis_in(zone))[0].buying.sums


def moved(life, years: int):
    """The same life, years earlier: where zones had other rules."""
    return [msgspec.structs.replace(event, time=event.time - timedelta(days=365 * years)) for event in life]


@given(mixtures(), st.randoms(use_true_random=False), st.sampled_from(ZONES), st.sampled_from([0, 6, 12, 13]))
def test_any_arrival_order_folds_to_the_same_facts_in_any_zone(life, random: Random, zone, years):
    ordered = in_time_order(moved(life, years))
    shuffled = ordered[:]
    random.shuffle(shuffled)

    assert_same_facts(lived(ordered, basis_in(zone))[0], lived(shuffled, basis_in(zone))[0])


@given(loyal_lives(), st.randoms(use_true_random=False), st.sampled_from(ZONES))
def test_a_loyal_life_in_any_order_folds_to_the_same_facts_in_any_zone(life, random: Random, zone):
    shuffled = life[:]
    random.shuffle(shuffled)

    assert_same_facts(lived(life, basis_in(zone))[0], lived(shuffled, basis_in(zone))[0])


@given(mixtures(), st.sampled_from(ZONES))
def test_the_days_kept_are_those_of_the_calendar(life, zone):
    profile, _ = lived(life, basis_in(zone))
    sums, calendar = profile.buying.sums, basis_in(zone).meaning.calendar
    if sums.orders:
        first, last = calendar.local_day(sums.first_at_ms), calendar.local_day(sums.last_at_ms)
        assert (sums.first_day, sums.last_day) == (first, last)
        assert sums.last_midnight_ms == calendar.midnight_ms(last)
        assert sum(sums.weekdays) == sums.days <= last - first + 1
        assert sum(sums.dayparts) == sums.orders


@given(mixtures())
def test_without_a_zone_the_days_are_those_of_utc(life):
    sums = lived(life, basis())[0].buying.sums
    if sums.orders:
        days = sums.first_at_ms // DAY_MS, sums.last_at_ms // DAY_MS
        assert (sums.first_day, sums.last_day) == days
        assert (sums.first_midnight_ms, sums.last_midnight_ms) == (days[0] * DAY_MS, days[1] * DAY_MS)


def test_an_evening_and_the_next_morning_are_two_days_though_one_in_utc():
    sums = sums_of("2026-01-05T21:30:00Z", "2026-01-05T23:30:00Z")

    assert (sums.days, sums.last_gap_days) == (2, 1)
    assert sums.weekdays == [1, 1, 0, 0, 0, 0, 0]
    assert sums.dayparts == [1, 0, 0, 1]


def test_an_evening_in_new_york_is_one_day_though_two_in_utc():
    sums = sums_of("2026-01-05T23:30:00Z", "2026-01-06T00:30:00Z", zone="America/New_York")

    assert (sums.days, sums.weekdays[0], sums.dayparts) == (1, 1, [0, 0, 0, 2])


def test_a_purchase_in_the_first_hour_of_the_year_is_of_the_new_year():
    assert sums_of("2025-12-31T22:30:00Z", "2025-12-31T23:30:00Z").years == [2025, 2026]


def test_days_of_23_and_of_25_hours_are_one_day_each():
    spring = sums_of("2026-03-28T22:30:00Z", "2026-03-29T21:59:00Z", "2026-03-29T22:00:00Z")
    autumn = sums_of("2026-10-24T21:59:00Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:00Z")

    assert (spring.days, spring.last_gap_days) == (3, 1)
    assert (autumn.days, autumn.last_gap_days) == (2, 1)


def test_the_money_of_the_first_day_is_that_of_the_shops_day():
    life = [purchase("2026-01-05T22:30:00Z", 100), purchase("2026-01-05T23:30:00Z", 1_000)]

    assert lived(life, basis(BERLIN))[0].buying.sums.first_day_minor == 100
    assert lived(life, basis())[0].buying.sums.first_day_minor == 1_100


def test_a_gap_over_the_beginning_of_summer_time_is_in_whole_days():
    life = [purchase(f"2026-{day}T12:00:00Z") for day in ("03-27", "03-30", "04-03")]
    profile, _ = lived(life, basis(BERLIN))
    features, habit = features_of(profile), habit_of(profile.buying.sums)
    now = summary(profile.buying, purchase("2026-04-12T22:00:00Z").time_ms, WEEK_MS)

    assert features.last_ms - features.first_ms == habit.last_ms - habit.first_ms == 7 * DAY_MS
    assert (now.recency, now.T, now.inactive_days) == (1.0, 17 / 7, 10.0)  # at 00:00 of 13 April
    own = rhythm(profile.buying, basis(BERLIN).meaning.calendar)
    assert own is not None
    assert (own.gaps, own.mean_gap_days) == (2, 3.5)


def test_recent_purchase_days_fade_by_whole_days_whatever_the_clock_did():
    """The same days by the clock, in summer and over the beginning of summer time: the same features."""
    over = lived([purchase("2026-03-28T11:00:00Z"), purchase("2026-03-31T10:00:00Z")], basis(BERLIN))[0]
    summer = lived([purchase("2026-06-28T10:00:00Z"), purchase("2026-07-01T10:00:00Z")], basis(BERLIN))[0]

    assert features_of(over).recent == pytest.approx(features_of(summer).recent, rel=1e-12)


@given(mixtures(), st.sampled_from(ZONES), st.integers(0, 20 * 366))
def test_a_judgement_at_any_hour_of_any_day_takes_no_day_twice(life, zone, days):
    """A judgement in a zone finds all that it needs in the profile: T and recency are never negative."""
    profile, _ = lived(life, basis_in(zone))
    if profile.buying.sums.orders:
        as_of_ms = profile.buying.sums.last_at_ms + days * HOUR_MS
        now = summary(profile.buying, as_of_ms, DAY_MS)
        assert 0 <= now.recency <= now.T
        assert 0.0 <= now.inactive_days <= (as_of_ms - profile.buying.sums.last_at_ms) / DAY_MS + 27 / 24
        assert 0.0 <= standing(profile, as_of_ms, basis_in(zone)).risk <= 1.0


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("Europe/Berlin", "2026-07-01T22:00:00Z"),
        ("UTC", "2026-07-02T00:00:00Z"),
        ("Asia/Tokyo", "2026-07-01T15:00:00Z"),
    ],
)
def test_engagement_is_weighed_at_the_next_midnight_of_the_shop(zone, due):
    profile, _ = lived([purchase("2026-06-01T12:00:00Z")], basis_in(zone))
    profile.judgement.episodes["churn_risk"] = Episode(state="raised", n=1)
    profile.next_review_ms = None
    visit = msgspec.structs.replace(visited(1), time=datetime.fromisoformat("2026-07-01T13:00:00Z"))

    assert not_none(on_event(profile, visit, basis_in(zone)).profile).next_review_ms == purchase(due).time_ms


def test_a_refund_moved_to_older_sums_takes_from_the_first_day_of_the_shop():
    life = [
        purchase("2026-01-05T22:30:00Z", 10_000, "o1"),
        purchase("2026-01-05T23:30:00Z", 10_000, "o2"),
        *(refunded(900 + number, "o2", 100, event_id=f"r{number}") for number in range(80)),
    ]
    profile, _ = lived(life, basis(BERLIN))

    assert profile.buying.sums.first_day_minor == 10_000
    assert profile.buying.sums.refunded_minor == 8_000


def test_two_names_of_one_zone_mean_the_same_facts_and_utc_means_those_of_before():
    zones = ("Europe/Kyiv", "Europe/Kiev", "UTC", "Etc/GMT")
    digests = {zone: basis_in(zone).meaning.digest for zone in zones}

    assert digests["Europe/Kyiv"] == digests["Europe/Kiev"] != basis_in("Europe/Berlin").meaning.digest
    assert digests["UTC"] == digests["Etc/GMT"] == basis().meaning.digest == ""
    assert len(digests["Europe/Kyiv"]) == 8


def test_noons_of_one_shop_are_the_same_days_as_noons_of_another():
    def weekly(zone, hours_ahead):
        life = [bought(7 * week + (12 - hours_ahead) / 24, event_id=f"e{week}") for week in range(30)]
        return lived(life, basis_in(zone))[0]

    here, there = weekly("UTC", 0), weekly("Asia/Tokyo", 9)
    one, other = here.buying.sums, there.buying.sums

    for name in ("days", "weekdays", "dayparts", "years", "first_day", "last_day", "gap_square_days"):
        assert getattr(one, name) == getattr(other, name), name
    assert features_of(here).recent == features_of(there).recent


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_zone_half_a_day_from_utc_judges_like_any_other(zone):
    life = [bought(7 * week + 0.01 * week) for week in range(40)]

    assert lived(life, basis_in(zone))[0].buying.sums.days == 40
