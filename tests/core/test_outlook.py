"""What a customer will bring is counted by the clock of their purchases: own purchasing time and a trend."""

import math
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.calendar import UTC_CALENDAR
from stream.core.judgement.worth import expected_of
from stream.core.model.document import ModelError, sealed
from stream.core.model.features import Features
from stream.core.model.pace import Further, Trend
from stream.core.model.record import BuyerKind, Seasons
from stream.core.risk.outlook import outlook
from stream.core.risk.season import MONTH_DAYS, YEAR_DAYS, passed_days, season_of
from stream.core.units import DAY_MS, YEAR_MS
from stream.core.value.clv import p_alive
from stream.core.value.interval import count_tails, value_interval
from stream.core.value.lifetime import finite_purchases, valuation
from stream.model_file import default_model
from tests.support.narrow import not_none
from tests.support.seasons import seasonal

QUARTER_MS = 91 * DAY_MS
HORIZONS_DAYS = (28, 91, 365)
PLAIN, SEASONAL = default_model(), seasonal(default_model())
EVEN = Seasons(
    kinds=(BuyerKind(share=1.0, months=tuple(days / YEAR_DAYS for days in MONTH_DAYS)),), learnt="even"
)


def instant(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1_000)


CHRISTMAS_BUYER = Features(
    frequency=2,
    first_ms=instant(2021, 12, 10),
    last_ms=instant(2023, 12, 12),
    monetary_minor=4_000.0,
    by_month=(0,) * 11 + (3,),
)


def worth(model, features, as_of_ms, *, horizon_ms=QUARTER_MS, discount=0.1, chance=None):
    """Expected money of a customer within a time."""
    rules = valuation(model, horizon_ms, discount)
    return expected_of(rules, outlook(model, rules, features, as_of_ms), features.monetary_minor, chance)


def purchases(model, features, as_of_ms, horizon_ms, chance=None):
    rules = valuation(model, horizon_ms, 0.0)
    seen = outlook(model, rules, features, as_of_ms)
    return finite_purchases(rules, seen.x, seen.t_x, seen.T, chance, seen.reach)


@pytest.mark.parametrize("chance", [None, 0.5])
def test_a_christmas_buyer_is_worth_more_before_christmas_than_in_spring(chance):
    spring, autumn = (
        worth(SEASONAL, CHRISTMAS_BUYER, instant(2024, month, 1), chance=chance) for month in (2, 10)
    )

    assert autumn > 5 * spring


def test_a_buyer_of_all_year_is_worth_about_as_much_then():
    all_year = replace(CHRISTMAS_BUYER, by_month=(1,) * 12, frequency=11)

    spring, autumn = (worth(SEASONAL, all_year, instant(2024, month, 1)) for month in (2, 3))

    assert autumn == pytest.approx(spring, rel=0.2)


@given(
    st.integers(0, 30), st.integers(0, 1_500), st.integers(0, 900), st.sampled_from(HORIZONS_DAYS),
    st.one_of(st.none(), st.floats(0.0, 1.0)),
)  # fmt: skip
def test_where_every_month_is_alike_a_model_that_knows_seasons_says_what_one_without_says(
    x, span_days, silent_days, horizon_days, chance
):
    span_days = span_days if x else 0
    features = replace(
        CHRISTMAS_BUYER,
        frequency=x,
        last_ms=CHRISTMAS_BUYER.first_ms + span_days * DAY_MS,
        by_month=(x,) * 12,
    )
    as_of_ms = features.last_ms + silent_days * DAY_MS
    each = [
        worth(model, features, as_of_ms, horizon_ms=horizon_days * DAY_MS, chance=chance)
        for model in (PLAIN, replace(PLAIN, seasons=EVEN))
    ]

    assert each[1] == pytest.approx(each[0], rel=0.03, abs=10.0)


@given(
    st.lists(st.integers(0, 4), min_size=12, max_size=12), st.integers(0, 700), st.integers(0, 700),
    st.sampled_from(HORIZONS_DAYS),
)  # fmt: skip
def test_the_span_of_a_value_is_the_purchasing_time_until_its_horizon(by_month, span_days, silent_days, days):
    features = replace(
        CHRISTMAS_BUYER, last_ms=CHRISTMAS_BUYER.first_ms + span_days * DAY_MS, by_month=tuple(by_month)
    )
    as_of_ms = features.last_ms + silent_days * DAY_MS
    year = season_of(not_none(SEASONAL.seasons), features).year
    rules = valuation(SEASONAL, days * DAY_MS, 0.1)

    reach = not_none(outlook(SEASONAL, rules, features, as_of_ms).reach)

    passed = [passed_days(year, UTC_CALENDAR, at_ms) for at_ms in (as_of_ms, as_of_ms + days * DAY_MS)]
    assert reach.span * 7 == pytest.approx(passed[1] - passed[0], rel=1e-9, abs=1e-9)
    assert 0.9 ** (days / 365) <= reach.kept <= 1.0


def drawn(model, features, as_of_ms, horizon_ms, draws):
    """Mean purchases within a horizon, and what they are worth discounted, of many futures of the process."""
    process, chance = model.process, np.random.default_rng(5)
    seen = outlook(model, valuation(model, horizon_ms, 0.1), features, as_of_ms)
    year = season_of(model.seasons, features).year
    days = np.arange(0, horizon_ms / DAY_MS + 0.5, 0.5)
    begun = passed_days(year, UTC_CALENDAR, as_of_ms)
    clock = [passed_days(year, UTC_CALENDAR, as_of_ms + int(one * DAY_MS)) - begun for one in days]
    stays = chance.random(draws) < p_alive(process, seen.x, seen.t_x, seen.T)
    rate = chance.gamma(process.r + seen.x, 1 / (process.alpha + seen.T), draws)
    leaves = chance.beta(process.a, process.b + seen.x + (process.kind == "mbgnbd"), draws)
    at, count, kept, on = np.zeros(draws), 0.0, 0.0, np.flatnonzero(stays)
    while len(on):
        at[on] += chance.exponential(1.0, len(on)) / rate[on] * 7
        on = on[at[on] < clock[-1]]
        delay_days = np.interp(at[on], clock, days)
        count, kept = count + len(on), kept + float((1.1 ** (-delay_days * DAY_MS / YEAR_MS)).sum())
        on = on[chance.random(len(on)) >= leaves[on]]
    return count / draws, kept / draws


@pytest.mark.parametrize("month", [1, 8, 11])
@pytest.mark.parametrize("weeks", [13, 52])
def test_expected_purchases_are_the_mean_of_many_futures_in_purchasing_time(month, weeks):
    as_of_ms, horizon_ms = instant(2024, month, 10), weeks * 7 * DAY_MS

    count, kept = drawn(SEASONAL, CHRISTMAS_BUYER, as_of_ms, horizon_ms, 100_000)

    assert purchases(SEASONAL, CHRISTMAS_BUYER, as_of_ms, horizon_ms) == pytest.approx(
        count, rel=0.02, abs=1e-3
    )
    rules = valuation(SEASONAL, horizon_ms, 0.1)
    seen = outlook(SEASONAL, rules, CHRISTMAS_BUYER, as_of_ms)
    got = finite_purchases(rules, seen.x, seen.t_x, seen.T, None, seen.reach)
    assert got == pytest.approx(kept, rel=0.03, abs=1e-3)


def test_the_range_follows_the_season_too():
    rules = valuation(SEASONAL, QUARTER_MS, 0.1)
    highs = []
    for month in (2, 10):
        seen = outlook(SEASONAL, rules, CHRISTMAS_BUYER, instant(2024, month, 1))
        highs.append(value_interval(rules, seen.x, seen.t_x, seen.T, 4_000.0, 0.4, reach=seen.reach)[2])

    assert highs[1] > highs[0]


def trend(level=0.0, slope=0.0, ahead_max_ms=YEAR_MS):
    return Trend(level=level, slope=slope, ahead_max_ms=ahead_max_ms, learnt="a test's")


@pytest.mark.parametrize("model", [PLAIN, SEASONAL])
@pytest.mark.parametrize("chance", [None, 0.5])
def test_a_trend_of_none_changes_nothing(model, chance):
    as_of_ms = instant(2024, 9, 1)
    alone, same = (
        worth(one, CHRISTMAS_BUYER, as_of_ms, chance=chance) for one in (model, replace(model, trend=trend()))
    )

    assert same == pytest.approx(alone, rel=5e-3)


@given(
    st.integers(0, 60), st.integers(0, 900), st.floats(-0.5, 0.8), st.one_of(st.none(), st.floats(0.05, 1.0))
)
def test_who_buys_faster_is_worth_more_and_no_more_than_by_so_much(x, silent_days, level, chance):
    features = replace(CHRISTMAS_BUYER, frequency=x, last_ms=CHRISTMAS_BUYER.first_ms + x * 20 * DAY_MS)
    as_of_ms = features.last_ms + silent_days * DAY_MS
    alone, paced = (
        worth(one, features, as_of_ms, horizon_ms=365 * DAY_MS, chance=chance)
        for one in (PLAIN, replace(PLAIN, trend=trend(level)))
    )

    low, high = sorted((1.0, math.exp(level)))
    if chance is None or level > 0.0:
        assert paced <= high * 1.01 * alone
    if chance is None:  # a stated chance stays: then a faster customer who waits has more surely left
        assert low / 1.01 * alone <= paced


def test_a_trend_goes_on_as_far_as_was_looked_and_then_stays():
    one = trend(level=0.1, slope=0.2, ahead_max_ms=YEAR_MS // 2)

    assert one.factor(0) == pytest.approx(math.exp(0.1))
    assert one.factor(YEAR_MS // 2) == one.factor(3 * YEAR_MS) == pytest.approx(math.exp(0.2))


@pytest.mark.parametrize(
    ("field", "value"), [("level", 5.0), ("slope", -9.0), ("ahead_max_ms", YEAR_MS * 101)]
)
def test_a_model_with_an_absurd_trend_is_refused(field, value):
    with pytest.raises(ModelError, match=f"trend.{field}"):
        sealed(replace(PLAIN, trend=replace(trend(), **{field: value})))


def further(*factors):
    """Factors that are the same however far ahead is looked."""
    levels = tuple(math.log(one) for one in factors)
    return Further(levels=levels, slopes=(0.0,) * len(levels), ahead_max_ms=YEAR_MS, learnt="a test's")


ONCE = further(0.01, 0.01)
ONCE_A_SEASON = replace(SEASONAL, further=ONCE)
AS_EXPECTED = replace(SEASONAL, further=further(1.0 + 1e-9, 1.0 + 1e-9))
histories = given(
    st.integers(0, 12), st.integers(0, 900), st.integers(0, 700), st.sampled_from(HORIZONS_DAYS),
    st.one_of(st.none(), st.floats(0.01, 1.0)),
)  # fmt: skip


def lived(x, span_days, silent_days):
    last_ms = CHRISTMAS_BUYER.first_ms + (span_days if x else 0) * DAY_MS
    return replace(CHRISTMAS_BUYER, frequency=x, last_ms=last_ms), last_ms + silent_days * DAY_MS


@histories
def test_where_as_many_purchases_follow_as_the_process_says_nothing_changes(x, span, silent, days, chance):
    features, as_of_ms = lived(x, span, silent)

    alone, same = (
        purchases(model, features, as_of_ms, days * DAY_MS, chance) for model in (SEASONAL, AS_EXPECTED)
    )

    assert same == pytest.approx(alone, rel=0.02, abs=1e-4)


@histories
def test_expected_purchases_and_their_numbers_agree_where_few_follow_the_next_one(
    x, span, silent, days, chance
):
    features, as_of_ms = lived(x, span, silent)
    rules = valuation(ONCE_A_SEASON, days * DAY_MS, 0.0)
    seen = outlook(ONCE_A_SEASON, rules, features, as_of_ms)

    tails = count_tails(rules, seen.x, seen.t_x, seen.T, chance, seen.reach)

    expected = finite_purchases(rules, seen.x, seen.t_x, seen.T, chance, seen.reach)
    assert math.fsum(tails) == pytest.approx(expected, rel=0.01, abs=1e-4)
    assert all(1.0 + 1e-9 >= more >= less - 1e-9 for more, less in pairwise(tails))


def test_who_buys_once_a_season_brings_their_chance_of_buying_and_no_more():
    september = instant(2024, 9, 1)

    usual, once = (
        purchases(model, CHRISTMAS_BUYER, september, 182 * DAY_MS, 0.6) for model in (SEASONAL, ONCE_A_SEASON)
    )

    assert once == pytest.approx(0.6, abs=0.03)
    assert usual > 1.2 * once


def test_the_chance_of_a_purchase_is_not_touched_by_what_follows_it():
    rules = valuation(SEASONAL, YEAR_MS, 0.0)
    some = []
    for model in (SEASONAL, ONCE_A_SEASON):
        seen = outlook(model, rules, CHRISTMAS_BUYER, instant(2024, 9, 1))
        some.append(count_tails(rules, seen.x, seen.t_x, seen.T, 0.6, seen.reach)[0])

    assert some[1] == pytest.approx(some[0], abs=1e-3)


@pytest.mark.parametrize(
    ("model", "factors", "field"),
    [
        (PLAIN, further(1.0), "levels"),
        (SEASONAL, further(*[1.0] * 7), "levels"),
        (SEASONAL, replace(ONCE, slopes=(0.0,)), "slopes"),
        (SEASONAL, replace(ONCE, levels=(99.0, 0.0)), "levels"),
        (SEASONAL, replace(ONCE, ahead_max_ms=YEAR_MS * 101), "ahead_max_ms"),
    ],
)
def test_a_model_whose_further_purchases_fit_no_kinds_or_are_absurd_is_refused(model, factors, field):
    with pytest.raises(ModelError, match=f"further.{field}"):
        sealed(replace(model, further=factors))
