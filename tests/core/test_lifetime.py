"""Tables against the exact functions they stand for, and value intervals against simulation."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import YEAR_MS
from stream.core.value.clv import discounted_if_alive, p_alive
from stream.core.value.interval import _below, _masses, _mixture, _quantile, count_tails, value_interval
from stream.core.value.lifetime import customer_value, finite_value_minor, looked_up, valuation
from stream.model_file import default_model

MODEL = default_model()
RULES = valuation(MODEL, 3 * YEAR_MS, 0.10)


@pytest.mark.parametrize("x", [0, 1, 2, 12, 40, 43, 77, 222, 600, 1_000, 4_000])
@pytest.mark.parametrize("age", [0.0, 0.3, 7.7, 38.9, 300.0, 2_500.0])
def test_tables_hold_to_one_in_a_million(x, age):
    finite, infinite = (
        discounted_if_alive(MODEL.process, x, age, RULES.discount, horizon)
        for horizon in (RULES.horizon, None)
    )

    assert looked_up(RULES, RULES.finite, x, age) == pytest.approx(finite, rel=1e-6)
    assert looked_up(RULES, RULES.infinite, x, age) == pytest.approx(infinite, rel=1e-6)


def test_a_value_is_margin_times_spend_times_discounted_purchases():
    value = customer_value(valuation(MODEL, 3 * YEAR_MS, 0.10, margin=0.3), 2, 30.43, 38.86, 2_235.0, None)
    discounted = discounted_if_alive(MODEL.process, 2, 38.86, RULES.discount, RULES.horizon)
    alive = p_alive(MODEL.process, 2, 30.43, 38.86)

    assert value.spend_minor == pytest.approx(2_466.37, rel=1e-4)
    assert value.finite_minor == pytest.approx(0.3 * alive * value.spend_minor * discounted, rel=1e-6)
    assert value.finite_minor < value.infinite_minor


@pytest.mark.parametrize("chance", [None, 0.0, 0.3, 1.0])
def test_the_value_within_the_horizon_alone_is_the_same_number(chance):
    whole = customer_value(RULES, 2, 30.43, 38.86, 2_235.0, chance)

    assert finite_value_minor(RULES, 2, 30.43, 38.86, 2_235.0, chance) == whole.finite_minor


@pytest.mark.parametrize(("x", "t_x", "age", "mean"), [(3, 20.0, 24.0, 3_000.0), (12, 36.0, 38.0, 1_500.0)])
def test_the_interval_holds_the_share_of_simulated_customers_it_says(x, t_x, age, mean):
    chance, process, spend = random.Random(7), MODEL.process, MODEL.spend
    worth = []
    for _ in range(20_000):
        value, at = 0.0, 0.0
        if chance.random() < p_alive(process, x, t_x, age):
            rate = chance.gammavariate(process.r + x, 1 / (process.alpha + age))
            leaves = chance.betavariate(process.a, process.b + x + 1)
            scale = (spend.v + x * mean / 100) / chance.gammavariate(spend.p * x + spend.q, 1)
            while (at := at + chance.expovariate(rate)) < RULES.horizon:
                value += chance.gammavariate(spend.p, scale) * 100
                if chance.random() < leaves:
                    break
        worth.append(value)
    discounting = looked_up(RULES, RULES.finite, x, age) / discounted_if_alive(
        process, x, age, 0.0, RULES.horizon
    )

    for share, bound in zip((0.1, 0.5, 0.9), value_interval(RULES, x, t_x, age, mean, None), strict=True):
        below = sum(value * discounting <= bound + 1e-9 for value in worth) / len(worth)
        assert below == pytest.approx(share, abs=0.012) or (bound == 0.0 and below > share)


def test_a_customer_with_more_purchases_than_are_distinguished_has_an_interval_too():
    daily = valuation(MODEL, 10 * YEAR_MS, 0.1)

    low, middle, high = value_interval(daily, 1_000, 1_000 / 7, 1_000 / 7, 2_000.0, None)

    assert 0.0 <= low <= middle <= high < math.inf
    assert high > 0.0


@given(x=st.integers(0, 300), rest=st.floats(0.0, 2.0), gap_days=st.floats(1.0, 90.0))
def test_a_quantile_has_its_share_of_the_distribution_below_it(x, rest, gap_days):
    t_x = x * gap_days / 7
    masses, spend = _masses(count_tails(RULES, x, t_x, t_x * (1 + rest), None)), MODEL.spend
    mixture = _mixture(masses, spend, x)

    for share in (0.1, 0.5, 0.9):
        root = math.cbrt(_quantile(mixture, share))
        assert root == 0.0 or _below(mixture, root) == pytest.approx(share, abs=1e-8)
        assert root > 0.0 or mixture.nothing >= share
