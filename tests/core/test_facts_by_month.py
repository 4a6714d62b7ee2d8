"""Facts by calendar month: purchases, engagement by channel, feedback; seasons, gaps, changes of stage."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import Event, MessageClicked, MessageDelivered
from stream.core.facts.feedback import SENTIMENT_UNITS
from stream.core.facts.months import MONTHS_KEPT, add_to_month, by_month
from stream.core.facts.profile import Profile
from stream.core.units import calendar_month
from tests.support.builders import (
    START,
    answered,
    basis,
    bought,
    cancelled,
    mailed,
    refunded,
    reviewed,
    viewed,
    visited,
)
from tests.support.laws import assert_same_facts, lived, waited

JANUARY_2024 = (2024 - 1970) * 12


def day_of(year: int, month: int, day: int = 15) -> float:
    """Days after the start of the tests' events."""
    return (datetime(year, month, day, 12, tzinfo=UTC) - START).total_seconds() / 86_400


def profile_of(*life: Event) -> Profile:
    return lived(life, basis())[0]


@given(st.integers(-100_000, 100_000))
def test_a_month_is_that_of_the_calendar(day):
    when = date(1970, 1, 1) + timedelta(days=day)

    assert calendar_month(day) == (when.year - 1970) * 12 + when.month - 1


def test_purchases_of_a_month_are_orders_and_money_less_refunds():
    profile = profile_of(
        bought(day_of(2024, 1, 30), 1_000, "a"),
        bought(day_of(2024, 1, 30) + 0.1, 500, "b"),
        bought(day_of(2024, 3, 1), 2_000, "c"),
        refunded(day_of(2024, 3, 9), "a", 300),
    )

    assert profile.buying.sums.month_orders == [JANUARY_2024, 2, JANUARY_2024 + 2, 1]
    assert by_month(profile.buying.sums.month_minor) == {JANUARY_2024: 1_200, JANUARY_2024 + 2: 2_000}


def test_a_cancelled_order_leaves_its_month_as_if_it_had_never_been_placed():
    kept, gone = bought(day_of(2024, 1), 1_000, "a"), bought(day_of(2024, 2), 700, "b")

    profile = profile_of(kept, gone, cancelled(day_of(2024, 3), "b"))

    assert profile.buying.sums.month_orders == [JANUARY_2024, 1]
    assert profile.buying.sums.month_minor == [JANUARY_2024, 1_000]
    assert profile.buying.sums.seasons == [1, *[0] * 11]


def test_a_refund_of_an_order_that_is_not_known_counts_in_its_own_month():
    profile = profile_of(bought(day_of(2024, 1), 1_000), refunded(day_of(2024, 4), "of another life", 300))

    assert profile.buying.sums.month_orders == [JANUARY_2024, 1]
    assert by_month(profile.buying.sums.month_minor) == {JANUARY_2024: 1_000, JANUARY_2024 + 3: -300}


def test_money_of_another_currency_is_not_added_to_a_month_and_its_order_is_counted():
    profile = profile_of(bought(day_of(2024, 1), 1_000), bought(day_of(2024, 1) + 1, 900, currency="EUR"))

    assert profile.buying.sums.month_orders == [JANUARY_2024, 2]
    assert profile.buying.sums.month_minor == [JANUARY_2024, 1_000]


def test_months_older_than_25_before_the_newest_are_let_go_and_not_begun_again():
    life = [bought(day_of(2022 + month // 12, month % 12 + 1), 100, f"o{month}") for month in range(30)]
    late = bought(day_of(2022, 1, 20), 100, "late")

    for order in (life, [*life, late], [late, *life[::-1]]):
        months = profile_of(*order).buying.sums.month_orders
        assert by_month(months) == dict.fromkeys(range(JANUARY_2024 - 19, JANUARY_2024 + 6), 1)


def test_more_orders_than_are_kept_one_by_one_still_have_their_months():
    life = [bought(day_of(2024, 1, 1) + day, 100, f"o{day}") for day in range(91)]

    sums = profile_of(*life).buying.sums

    assert list(by_month(sums.month_orders).values()) == [31, 29, 31]
    assert list(by_month(sums.month_minor).values()) == [3_100, 2_900, 3_100]
    assert sums.seasons == [31, 29, 31, *[0] * 9]


def test_engagement_is_counted_by_month_and_channel():
    profile = profile_of(
        visited(day_of(2024, 1)),
        visited(day_of(2024, 2)),
        viewed(day_of(2024, 2), "toys"),
        mailed(day_of(2024, 2), MessageClicked),
        mailed(day_of(2024, 3), MessageDelivered),
    )
    engagement = profile.engagement

    assert engagement.months == [JANUARY_2024 + 1, 1]
    assert engagement.channels["email"].months == [JANUARY_2024 + 1, 1]
    assert engagement.channels["web"].months == [JANUARY_2024, 1, JANUARY_2024 + 1, 1]


def test_a_month_is_that_of_the_shops_clock():
    at_midnight_in_berlin = [
        bought(day_of(2024, 1, 31) + 0.49, 100),
        visited(day_of(2024, 1, 31) + 0.49),
        reviewed(day_of(2024, 1, 31) + 0.49, 5),
    ]
    for policy, month in (("", JANUARY_2024), ('[business]\nzone = "Europe/Berlin"', JANUARY_2024 + 1)):
        profile, _ = lived(at_midnight_in_berlin, basis(policy))
        sums = profile.buying.sums
        assert sums.month_orders == [month, 1]
        assert profile.engagement.channels["web"].months == [month, 1]
        assert profile.feedback.month_counts == [month, 1]
        assert sums.seasons[month % 12] == 1


def test_feedback_of_a_month_is_its_count_and_the_sum_of_its_sentiments():
    profile = profile_of(
        reviewed(day_of(2024, 1), 5), answered(day_of(2024, 1) + 1, 0), reviewed(day_of(2024, 5), 1)
    )

    feedback = profile.feedback
    assert by_month(feedback.month_counts) == {JANUARY_2024: 2, JANUARY_2024 + 4: 1}
    total = sum(by_month(feedback.month_sentiment).values())
    assert math.isclose(total / SENTIMENT_UNITS, feedback.sentiment_sum, abs_tol=1e-3)


def test_regularity_is_kept_as_the_sum_of_logarithms_of_gaps():
    steady = profile_of(*(bought(30.0 * number) for number in range(9))).buying.sums
    wild = profile_of(*(bought(day) for day in (0, 1, 100, 101, 102, 230, 240))).buying.sums

    assert math.isclose(steady.gap_log_sum, 8 * math.log(30))
    assert math.isclose(wild.gap_log_sum, sum(map(math.log, (1, 99, 1, 1, 128, 10))))
    for sums in (steady, wild):  # by Jensen's inequality no gaps have a larger sum than equal ones
        mean = (sums.last_day - sums.first_day) / (sums.days - 1)
        assert sums.gap_log_sum <= (sums.days - 1) * math.log(mean) + 1e-9
        assert sums.unknown_gaps == 0


def test_changes_of_stage_are_kept_with_their_instants():
    profile = profile_of(*(bought(20.0 * day) for day in range(9)))
    stages = [stage for _, stage in profile.judgement.stage_moves]

    assert stages[0] == "new"
    assert stages[-1] == profile.judgement.stage == "loyal"
    later, _ = waited(profile, profile.judgement.judged_ms + 900 * 86_400_000, basis())
    assert later.judgement.stage_moves[-1][1] == "lapsed"
    assert [at_ms for at_ms, _ in later.judgement.stage_moves] == sorted(
        at_ms for at_ms, _ in later.judgement.stage_moves
    )


@given(st.lists(st.integers(0, 120), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_months_kept_are_the_same_in_any_order_of_arrival(found, random: Random):
    def counted(arrivals: list[int]) -> list[int]:
        series: list[int] = []
        for month in arrivals:
            add_to_month(series, month, 1)
        return series

    shuffled = found[:]
    random.shuffle(shuffled)
    months = counted(found)

    assert counted(shuffled) == months
    newest = max(found)
    assert by_month(months) == {
        month: found.count(month) for month in {*found} if month > newest - MONTHS_KEPT
    }
    assert list(by_month(months)) == sorted(by_month(months))


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(-3, 3)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_amounts_by_month_are_the_same_in_any_order_also_where_they_cancel_out(found, random: Random):
    def added(arrivals: list[tuple[int, int]]) -> list[int]:
        series: list[int] = []
        for month, amount in arrivals:
            add_to_month(series, month, amount)
        return series

    shuffled = found[:]
    random.shuffle(shuffled)

    assert added(shuffled) == added(found)
    assert len(added(found)) <= 2 * MONTHS_KEPT


@st.composite
def long_lives(draw):
    """Purchases over six years with refunds and cancellations, some of orders that nobody knows."""
    days = draw(st.lists(st.integers(0, 2_200), min_size=1, max_size=12))
    life: list[Event] = [
        bought(day, 1_000, f"o{place}", event_id=f"b{place}") for place, day in enumerate(days)
    ]
    for place in draw(st.lists(st.integers(0, 14), max_size=6)):
        day = draw(st.integers(0, 2_300))
        life.append(
            refunded(day, f"o{place}", 300, event_id=f"r{len(life)}")
            if draw(st.booleans())
            else cancelled(day, f"o{place}", event_id=f"c{len(life)}")
        )
    return life


@given(long_lives(), st.randoms(use_true_random=False))
def test_months_of_a_long_life_are_the_same_in_any_order_of_arrival(life, random: Random):
    shuffled = life[:]
    random.shuffle(shuffled)

    one, other = lived(life, basis())[0], lived(shuffled, basis())[0]

    assert_same_facts(one, other)
    sums = one.buying.sums
    assert sum(sums.seasons) == sums.days
    assert sum(sums.weekdays) == sums.days
    assert msgspec.json.decode(msgspec.json.encode(one), type=Profile) == one
