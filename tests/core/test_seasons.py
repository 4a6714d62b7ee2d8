"""Seasons: risk rises within a month and leaps at its borders, and every change is known in advance."""

import copy
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.calendar import UTC_CALENDAR
from stream.core.model.document import ModelError, check_model, decode_model, encode_model
from stream.core.model.features import Features
from stream.core.model.record import BuyerKind, Seasons
from stream.core.risk.churn import (
    band_review_ms,
    crossing_ms,
    explained_risk,
    log_odds_of,
    risk_score,
)
from stream.core.risk.curve import risk_curve
from stream.core.risk.season import (
    MONTH_DAYS,
    YEAR_DAYS,
    horizon_in,
    kind_shares,
    passed_days,
    season_of,
    year_of,
)
from stream.core.risk.season_change import Floor, first_change_ms
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS, calendar_month, first_day_of_month
from stream.model_file import default_model
from stream.time_zones import calendar_in
from tests.support.builders import bought
from tests.support.seasons import ALL_YEAR, CHRISTMAS, SEASONS, seasonal, seasonal_basis, seasonal_model

LAYERED, PROCESS = seasonal_model(), seasonal(default_model())
OWN_HORIZONS = msgspec.structs.replace(LAYERED, horizon=default_model().horizon)
models = st.sampled_from([LAYERED, PROCESS, OWN_HORIZONS])
calendars = st.sampled_from([UTC_CALENDAR, calendar_in("America/St_Johns"), calendar_in("Asia/Tokyo")])


def instant(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1_000)


@st.composite
def customers(draw):
    by_month = tuple(draw(st.lists(st.integers(0, 4), min_size=12, max_size=12)))
    x = max(0, sum(by_month) - 1)
    first_ms = draw(st.integers(10_000, 18_000)) * DAY_MS
    last_ms = first_ms + draw(st.integers(x, max(x, 60 * x))) * DAY_MS
    return Features(
        frequency=x,
        first_ms=first_ms,
        last_ms=last_ms,
        recent=draw(st.floats(0.1, 9)),
        engagement=draw(st.floats(0, 9)),
        engagement_ms=last_ms,
        by_month=by_month,
        calendar=draw(calendars),
    )


CHRISTMAS_BUYER = Features(
    frequency=2,
    first_ms=instant(2021, 12, 10),
    last_ms=instant(2023, 12, 12),
    recent=1.1,
    by_month=(0,) * 11 + (3,),
)


@given(st.integers(0, 40_000))
def test_a_month_begins_on_its_first_day(day):
    month = calendar_month(day)

    assert first_day_of_month(month) <= day < first_day_of_month(month + 1)
    assert calendar_month(first_day_of_month(month)) == month
    assert calendar_month(first_day_of_month(month) - 1) == month - 1


@given(models, customers(), st.integers(0, 900), st.floats(0, 1), st.floats(0, 1))
def test_within_a_month_silence_never_lowers_the_risk(model, features, silent_days, one, other):
    season = season_of(model.seasons, features)
    month = season.month(features.last_ms + silent_days * DAY_MS)
    low, high = max(features.last_ms, season.begins_ms(month)), season.begins_ms(month + 1) - 1
    earlier, later = sorted(low + int(share * (high - low)) for share in (one, other))

    assert risk_score(model, features, later) >= risk_score(model, features, earlier) - 1e-12


@given(customers(), st.integers(0, 3_000), st.integers(0, 3_000))
def test_purchasing_time_is_the_sum_over_days_and_a_year_of_it_is_a_year(features, from_day, days):
    year = year_of(SEASONS, features.by_month)
    begin, end = 15_000 + from_day, 15_000 + from_day + days

    passed = passed_days(year, UTC_CALENDAR, end * DAY_MS) - passed_days(year, UTC_CALENDAR, begin * DAY_MS)

    total = 0.0
    for day in range(begin, end):
        month = calendar_month(day)
        total += year.days[month % 12] / (first_day_of_month(month + 1) - first_day_of_month(month))
    assert passed == pytest.approx(total, abs=1e-6)
    assert sum(year.days) == pytest.approx(YEAR_DAYS)
    assert horizon_in(year, YEAR_DAYS, 3) == pytest.approx(YEAR_DAYS)


def test_the_horizon_is_the_integral_of_the_months_pace():
    year = year_of(SEASONS, (0,) * 11 + (2,))

    steps = 20_000
    begin = sum(MONTH_DAYS[:8]) + 15.0
    total = 0.0
    for step in range(steps):
        day, place = (begin + 120.0 * (step + 0.5) / steps) % YEAR_DAYS, 0
        while day >= MONTH_DAYS[place]:
            day, place = day - MONTH_DAYS[place], place + 1
        total += year.days[place] / MONTH_DAYS[place] * 120.0 / steps

    assert horizon_in(year, 120.0, 8) == pytest.approx(total, rel=1e-3)


def test_the_kind_of_a_customer_is_what_bayes_theorem_says():
    december = [0.6 / 12**3, 0.4 * 0.55**3]

    assert kind_shares(SEASONS, (0,) * 11 + (3,)) == pytest.approx([one / sum(december) for one in december])
    assert kind_shares(SEASONS, ()) == pytest.approx([0.6, 0.4])


def test_a_model_whose_buyers_are_of_one_kind_that_buys_all_year_says_what_one_without_seasons_says():
    even = tuple(length / YEAR_DAYS for length in MONTH_DAYS)
    seasons = Seasons(kinds=(BuyerKind(share=1.0, months=even),), learnt="even")
    plain = msgspec.structs.replace(LAYERED, seasons=None)
    for months in range(1, 30):
        as_of_ms = CHRISTMAS_BUYER.last_ms + months * 30 * DAY_MS
        with_seasons = risk_score(seasonal(LAYERED, seasons), CHRISTMAS_BUYER, as_of_ms)
        assert with_seasons == pytest.approx(risk_score(plain, CHRISTMAS_BUYER, as_of_ms), abs=2e-3)


def test_a_christmas_buyer_is_due_in_autumn_and_not_late_in_july_but_lost_after_a_missed_season():
    july, october = instant(2024, 7, 15), instant(2024, 10, 5)
    missed, all_year = instant(2025, 2, 10), msgspec.structs.replace(CHRISTMAS_BUYER, by_month=(1,) * 12)

    assert risk_score(LAYERED, CHRISTMAS_BUYER, october) < 0.5
    assert risk_score(LAYERED, CHRISTMAS_BUYER, july) > 0.8  # nothing is to be expected within 13 weeks
    assert risk_score(OWN_HORIZONS, CHRISTMAS_BUYER, july) < 0.6  # but within the own horizon of a year
    assert risk_score(OWN_HORIZONS, all_year, july) > risk_score(OWN_HORIZONS, CHRISTMAS_BUYER, july)
    late = risk_score(OWN_HORIZONS, CHRISTMAS_BUYER, missed)
    assert late > risk_score(OWN_HORIZONS, CHRISTMAS_BUYER, july) + 0.1


@settings(max_examples=60)
@given(models, customers(), st.floats(0.01, 0.95), st.integers(0, 500))
def test_the_first_crossing_is_the_one_that_a_scan_of_every_day_of_a_year_finds(
    model, features, share, since_days
):
    from_ms = features.last_ms + since_days * DAY_MS
    now = risk_score(model, features, from_ms)
    threshold = now + (1.0 - now) * share
    assume(now < threshold < 1.0)

    at_ms = crossing_ms(model, features, threshold, from_ms)

    curve, goal = risk_curve(model, features), log_odds_of(threshold)
    reached = [at for day in range(1, 366) if curve.log_odds(at := from_ms + day * DAY_MS) >= goal]
    if at_ms is not None:
        assert curve.log_odds(at_ms) >= goal
        assert at_ms == from_ms or curve.log_odds(at_ms - 1) < goal
        assert not reached or at_ms <= reached[0]
    else:
        assert not reached


@settings(max_examples=60)
@given(models, customers(), st.floats(0.05, 0.99), st.integers(0, 500), st.integers(0, 800))
def test_the_first_fall_is_at_a_border_in_time_and_the_one_that_a_scan_of_three_years_finds(
    model, features, floor, since_days, within_days
):
    from_ms, goal = features.last_ms + since_days * DAY_MS, log_odds_of(floor)
    curve = risk_curve(model, features)
    assume(curve.log_odds(from_ms) > goal)

    until_ms = from_ms + within_days * DAY_MS
    at_ms = first_change_ms(curve, from_ms, None, Floor(goal, until_ms), from_ms + 4_000 * DAY_MS)

    season = season_of(model.seasons, features)
    borders = [season.begins_ms(season.month(from_ms) + place) for place in range(1, 37)]
    fallen = [border for border in borders if border < until_ms and curve.log_odds(border) <= goal]
    assert at_ms == (fallen[0] if fallen else None)


@settings(max_examples=60)
@given(
    models,
    customers(),
    st.floats(0.05, 0.95),
    st.one_of(st.none(), st.floats(0.02, 0.9)),
    st.integers(0, 900),
)
def test_a_review_is_never_after_the_risk_has_left_its_band(model, features, up, down, days):
    from_ms, curve = features.last_ms, risk_curve(model, features)
    until_ms = from_ms + days * DAY_MS
    risk = risk_score(model, features, from_ms)
    assume(risk < up and (down is None or down <= risk))

    review_ms = band_review_ms(curve, up, None if down is None else (down, until_ms), from_ms, risk)

    floor = None if down is None else Floor(log_odds_of(down), until_ms)
    change_ms = first_change_ms(curve, from_ms, log_odds_of(up), floor, from_ms + 7_000 * DAY_MS)
    if change_ms is not None:
        assert review_ms is not None
        assert from_ms <= review_ms <= change_ms


@given(models, customers(), st.integers(0, 900))
def test_base_and_contributions_of_a_seasonal_risk_add_up(model, features, silent_days):
    as_of_ms = features.last_ms + silent_days * DAY_MS

    risk = explained_risk(model, features, as_of_ms)

    assert risk.score == pytest.approx(risk_score(model, features, as_of_ms), rel=1e-9)


def looked_at_twice_a_day(profile, basis, until_ms):
    """The alerts of a customer who is reviewed when due, and looked at in between: that changes nothing."""
    alerts: list[Alert] = []
    at_ms = profile.judgement.judged_ms
    while at_ms < until_ms:
        at_ms = (at_ms // (DAY_MS // 2) + 1) * (DAY_MS // 2)
        due = on_review(profile, at_ms, basis)
        alerts += due.alerts
        profile = due.profile
        profile.next_review_ms = at_ms
        unasked = on_review(profile, at_ms, basis)
        assert not unasked.alerts, "a change that was not known in advance"
        profile = unasked.profile
    return alerts


def lived(days, basis):
    profile = None
    for number, day in enumerate(days):
        profile = on_event(profile, bought(day, order=f"o{number}"), basis).profile
    return profile


@pytest.mark.parametrize("horizon_days", [60, 91, 182])
@pytest.mark.parametrize(
    "days", [[334, 340, 700, 1060, 1066], [10, 60, 120, 180, 230, 290, 350], [340, 345, 705, 709, 760]]
)
def test_no_judgement_changes_between_the_reviews_that_are_known_in_advance(days, horizon_days):
    basis = seasonal_basis(horizon_days)
    profile = lived(days, basis)

    alone, whole = copy.deepcopy(profile), profile.judgement.judged_ms + 800 * DAY_MS

    alerts = looked_at_twice_a_day(profile, basis, whole)

    undisturbed = on_review(alone, whole, basis).alerts
    assert [(one.type, one.time) for one in alerts] == [(one.type, one.time) for one in undisturbed]


def test_an_alert_of_winter_clears_at_the_border_at_which_the_season_comes_near():
    basis = seasonal_basis(
        policy='[churn_risk.hysteresis]\nexpire = "400d"\n[at_risk_loyal.hysteresis]\nexpire = "400d"\n'
    )
    profile = lived([334, 340, 345, 700, 706, 1060, 1066, 1070], basis)

    step = on_review(profile, profile.judgement.judged_ms + 330 * DAY_MS, basis)

    cleared = [alert for alert in step.alerts if alert.type.endswith(".cleared")]
    assert cleared, [alert.type for alert in step.alerts]
    assert all(alert.time[8:19] == "01T00:00:00" for alert in cleared)


def test_a_model_keeps_its_seasons_as_a_document_and_one_without_has_no_field():
    seasons = decode_model(encode_model(LAYERED)).seasons
    assert seasons is not None
    assert seasons.kinds == SEASONS.kinds
    assert b"seasons" not in encode_model(default_model())


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ((BuyerKind(share=0.5, months=ALL_YEAR.months),), "shares must add up to 1"),
        ((BuyerKind(share=1.0, months=(0.5, 0.5)),), "12 months are needed, not 2"),
        ((BuyerKind(share=1.0, months=(0.1,) * 12),), "months must add up to 1"),
        ((CHRISTMAS,) * 17, "at most 16"),
    ],
)
def test_seasons_that_are_no_shares_of_a_year_are_refused(kinds, words):
    with pytest.raises(ModelError, match=words):
        check_model(seasonal(default_model(), Seasons(kinds=kinds, learnt="bad")))
