"""The value of a customer follows the stated chance of buying, and nothing else of the process changes."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.model.record import Horizon, PurchaseProcess
from stream.core.units import YEAR_MS
from stream.core.value.clv import discounted_if_alive, own_horizon, p_active, p_alive
from stream.core.value.interval import count_tails, value_interval
from stream.core.value.lifetime import customer_value, looked_up_within, valuation
from stream.model_file import default_model

MODEL = default_model()
RULES = valuation(MODEL, YEAR_MS, 0.10)
PROCESS = MODEL.process

frequencies = st.integers(0, 200)
gaps_days = st.floats(2.0, 200.0)
rests = st.floats(0.0, 3.0)
chances = st.floats(0.0, 1.0)


def lived(x, gap_days, rest):
    """Recency and age in weeks."""
    t_x = x * gap_days / 7
    return t_x, t_x + rest * max(t_x, 4.0)


@given(x=frequencies, gap_days=gaps_days, rest=rests)
def test_by_the_process_s_own_chance_the_value_is_the_process_s(x, gap_days, rest):
    t_x, age = lived(x, gap_days, rest)
    chance = p_active(PROCESS, x, t_x, age, own_horizon(PROCESS, MODEL.horizon, x, t_x))

    alone, same = (customer_value(RULES, x, t_x, age, 2_000.0, each) for each in (None, chance))

    assert same.finite_minor == pytest.approx(alone.finite_minor, rel=2e-3, abs=1e-9)
    assert same.infinite_minor == pytest.approx(alone.infinite_minor, rel=2e-3, abs=1e-9)
    intervals = (value_interval(RULES, x, t_x, age, 2_000.0, each) for each in (None, chance))
    for one, other in zip(*intervals, strict=True):
        assert other == pytest.approx(one, rel=5e-3, abs=1.0)


@given(x=frequencies, gap_days=gaps_days, rest=rests, chance=chances)
def test_of_all_futures_the_stated_share_has_a_purchase_within_the_own_horizon(x, gap_days, rest, chance):
    t_x, age = lived(x, gap_days, rest)
    within = own_horizon(PROCESS, MODEL.horizon, x, t_x)
    until_then = valuation(MODEL, round(within * PROCESS.unit_ms), 0.0)

    tails = count_tails(until_then, x, t_x, age, chance)

    assert tails[0] == pytest.approx(chance, abs=1e-6)


@given(x=frequencies, gap_days=gaps_days, rest=rests, chance=chances)
def test_the_more_surely_somebody_buys_the_more_they_are_worth(x, gap_days, rest, chance):
    t_x, age = lived(x, gap_days, rest)
    worth = [customer_value(RULES, x, t_x, age, 2_000.0, each).finite_minor for each in (0.0, chance, 1.0)]
    highs = [value_interval(RULES, x, t_x, age, 2_000.0, each) for each in (0.0, chance, 1.0)]

    assert worth == sorted(worth)
    assert all(0.0 <= number < math.inf for number in worth)
    for less, more in pairwise(highs):
        assert all(low <= high * (1 + 1e-6) + 1e-6 for low, high in zip(less, more, strict=True))


@given(x=frequencies, gap_days=gaps_days, rest=rests, chance=chances)
def test_more_purchases_are_never_likelier_than_fewer(x, gap_days, rest, chance):
    t_x, age = lived(x, gap_days, rest)

    tails = count_tails(RULES, x, t_x, age, chance)

    assert all(1.0 + 1e-9 >= more >= less - 1e-9 for more, less in pairwise(tails))


@pytest.mark.parametrize("span", [0.01, 1.0, 7.0, 30.0, 52.0])
@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (0, 40.0), (3, 24.0), (40, 100.0), (200, 2_000.0)])
def test_a_shorter_span_is_read_off_the_table_of_the_horizon(x, age, span):
    exact = discounted_if_alive(PROCESS, x, age, RULES.discount, span)

    assert looked_up_within(RULES, RULES.finite, x, age, span, RULES.discount) == pytest.approx(
        exact, rel=3e-3
    )


def test_a_risk_that_looks_further_than_the_value_is_only_a_share_of_it():
    far = valuation(replace(MODEL, horizon=Horizon(min_ms=2 * YEAR_MS, max_ms=2 * YEAR_MS)), YEAR_MS, 0.1)
    alone = customer_value(far, 3, 20.0, 30.0, 2_000.0, None).finite_minor
    own = p_active(PROCESS, 3, 20.0, 30.0, 2 * YEAR_MS / PROCESS.unit_ms)

    half = customer_value(far, 3, 20.0, 30.0, 2_000.0, own / 2).finite_minor

    assert half == pytest.approx(alone / 2, rel=1e-9)


@pytest.mark.parametrize("chance", [None, 0.3])
def test_a_policy_that_does_not_discount_has_values_too(chance):
    plain = valuation(MODEL, YEAR_MS, 0.0)

    value = customer_value(plain, 3, 20.0, 24.0, 2_000.0, chance)

    assert value.finite_minor > customer_value(RULES, 3, 20.0, 24.0, 2_000.0, chance).finite_minor
    assert value.infinite_minor == math.inf


def made_up_customers(count):
    """Histories and stated chances from sure to leave to sure to buy, for two processes."""
    chance = np.random.default_rng(11)
    for number in range(count):
        x = int(chance.choice([0, 0, 1, 2, 3, 5, 8, 13, 25, 60]))
        t_x, age = lived(x, float(chance.uniform(5.0, 60.0)), float(chance.uniform(0.0, 1.5)))
        yield ("mbgnbd", "bgnbd")[number % 2], x, t_x, age, float(chance.uniform(0.05, 0.95))


def drawn_value(rules, customer, draws, chance):
    """The mean discounted money of many futures, and its standard error.

    The process is run as its story goes, for customers who are alive; futures with a purchase within the own
    horizon then weigh what was stated, and all others the rest.
    """
    kind, x, t_x, age, stated_chance = customer
    process, spend = rules.process, rules.spend
    within = own_horizon(process, rules.own, x, t_x)
    rate = chance.gamma(process.r + x, 1 / (process.alpha + age), draws)
    leaves = chance.beta(process.a, process.b + x + (kind == "mbgnbd"), draws)
    scale = (spend.v + x * 20.0) / chance.gamma(spend.p * x + spend.q, 1, draws)
    at, money, soon, on = np.zeros(draws), np.zeros(draws), np.zeros(draws, dtype=bool), np.arange(draws)
    while len(on):
        at[on] += chance.exponential(1.0, len(on)) / rate[on]
        on = on[at[on] < max(rules.horizon, within)]
        soon[on[at[on] <= within]] = True
        paying = on[at[on] < rules.horizon]
        money[paying] += chance.gamma(spend.p, scale[paying]) * np.exp(-rules.discount * at[paying]) * 100
        on = on[chance.random(len(on)) >= leaves[on]]
    alive, buys = p_alive(process, x, t_x, age), soon.mean()
    weights = stated_chance, (1 - stated_chance) * alive * (1 - buys) / (1 - alive * buys)
    groups = money[soon], money[~soon]
    return (
        sum(weight * group.mean() for weight, group in zip(weights, groups, strict=True)),
        math.hypot(*(w * g.std() / math.sqrt(len(g)) for w, g in zip(weights, groups, strict=True))),
    )


@pytest.mark.parametrize(
    ("customers", "draws"), [(8, 20_000), pytest.param(200, 100_000, marks=pytest.mark.slow)]
)
def test_stated_values_are_the_mean_of_many_draws_of_buying_and_of_money_given_buying(customers, draws):
    chance, off = np.random.default_rng(3), []
    process = {
        "mbgnbd": PROCESS,
        "bgnbd": PurchaseProcess(kind="bgnbd", r=0.9, alpha=5.0, a=0.8, b=2.5),
    }
    for customer in made_up_customers(customers):
        kind, x, t_x, age, stated_chance = customer
        rules = valuation(replace(MODEL, process=process[kind], tables=()), YEAR_MS, 0.1, margin=1.0)
        drawn, noise = drawn_value(rules, customer, draws, chance)
        value = customer_value(rules, x, t_x, age, 2_000.0, stated_chance).finite_minor

        off.append(drawn / value - 1.0)
        assert abs(off[-1]) < max(0.02, 3.5 * noise / value), (customer, off[-1], noise / value)
    assert abs(float(np.mean(off))) < 0.01
