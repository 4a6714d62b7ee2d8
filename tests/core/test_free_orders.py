"""A free order, and one of which all went back: the customer came, and paid nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts.fold import fold
from stream.core.facts.meaning import Meaning
from stream.core.facts.profile import Profile, new_profile
from stream.core.judgement.standing import standing
from stream.core.judgement.worth import expected_minor, is_priced
from stream.core.policy.policy import Policy
from stream.fit.history import apply_facts
from tests.support.builders import at, basis, bought, refunded

ORDERED_ONLY = ("gross_minor", "refunded_minor", "basket_weight", "basket_sum", "unpriced_orders")
"""What is known of orders as they were placed: baskets, and the money before anything went back."""
priced = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90_000)), max_size=6)


def profile_of(events):
    meaning = Meaning(Policy())
    profile = new_profile("c", meaning.digest)
    for event in sorted(events, key=lambda one: one.time_ms):
        fold(profile, event, event.time_ms, meaning)
    return profile


def _facts(profile):
    sums = msgspec.to_builtins(profile.buying.sums)
    series = {name: value for name, value in sums.items() if name not in ORDERED_ONLY}
    return {
        f"{name} {place}": one
        for name, value in series.items()
        for place, one in enumerate(value if isinstance(value, list) else [value])
    }


@given(priced, st.integers(0, 300), st.integers(1, 90_000))
def test_an_order_that_went_back_counts_as_one_for_nothing(orders, day, minor):
    others = [bought(day, paid, f"o{place}") for place, (day, paid) in enumerate(orders)]
    free = profile_of([*others, bought(day + 0.5, 0, "it")])
    back = profile_of([*others, bought(day + 0.5, minor, "it"), refunded(day + 7, "it", minor)])

    assert _facts(free) == pytest.approx(_facts(back))
    assert free.buying.net_minor == back.buying.net_minor


def test_a_free_order_ends_a_silence_and_brings_no_money():
    before = [bought(day, 20_000) for day in (0, 30, 60)]
    silent, again = profile_of(before), profile_of([*before, bought(170, 0)])
    late_ms = at(171)

    was, now = (standing(one, late_ms, basis()) for one in (silent, again))

    assert now.purchase_days == was.purchase_days + 1
    assert now.risk < was.risk
    assert now.value_minor == was.value_minor
    assert again.buying.sums.basket_sum == silent.buying.sums.basket_sum


def test_the_mean_money_of_a_purchase_day_counts_free_days_as_expected_purchases_do():
    """Expected purchases times the mean is the expected money, so both have to count the same days."""
    paid = profile_of([bought(day, 20_000) for day in (0, 30, 60)])
    half = profile_of([*(bought(day, 20_000) for day in (0, 30)), bought(60, 0)])

    worth = [expected_minor(one, standing(one, at(61), basis()), basis()) for one in (paid, half)]

    assert 0.0 < worth[1] < worth[0]


def test_who_has_only_had_free_orders_is_worth_nothing_that_is_known():
    profile = profile_of([bought(day, 0) for day in (0, 30, 60)])
    now = standing(profile, at(61), basis())

    assert now.tier == 0
    assert not is_priced(profile, now)


def test_a_free_order_is_folded_once():
    meaning = Meaning(Policy())
    profiles: dict[str, Profile] = {}
    free = bought(0, 0, "o")

    assert apply_facts(profiles, free, free.time_ms, meaning)
    assert not apply_facts(profiles, free, free.time_ms, meaning)
    assert profiles["c"].buying.sums.orders == 1
