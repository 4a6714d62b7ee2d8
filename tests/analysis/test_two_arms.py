"""Intervals of two arms: published numbers, scipy as an oracle, and what holds of them over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stream.analysis.statistics.two_arms import (
    LEVEL,
    TIGHTEST_AT,
    Difference,
    holm,
    mean_difference,
    newcombe,
    sample_ratio_p,
    share_difference,
    smallest_visible_share,
    winsorised,
    without_the_known,
)
from tests.support.narrow import not_none

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

COUNTS = st.integers(10, 5_000)


@pytest.mark.parametrize(
    ("hits", "of", "hits_held", "of_held", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_the_published_intervals_of_newcombe(hits, of, hits_held, of_held, low, high):
    """Table II of Newcombe (1998), method 10."""
    assert newcombe(hits, of, hits_held, of_held) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_for_one_look_of_means_is_that_of_welch():
    random = np.random.default_rng(1)
    treated, held = random.gamma(2.0, 3_000.0, 400), random.gamma(2.0, 2_500.0, 60)
    found = not_none(mean_difference(treated, held))
    oracle = stats.ttest_ind(treated, held, equal_var=False).confidence_interval(1 - LEVEL)

    assert (found.once_low, found.once_high) == pytest.approx((oracle.low, oracle.high))


@given(COUNTS, COUNTS, st.floats(0, 1), st.floats(0, 1))
def test_the_interval_for_all_looks_is_never_narrower_than_for_one(of, of_held, share, share_held):
    found = not_none(share_difference(round(share * of), of, round(share_held * of_held), of_held))

    assert -1 <= found.low <= found.once_low <= found.value <= found.once_high <= found.high <= 1
    assert found.high > found.low
    if not found.low <= 0 <= found.high:
        assert found.p_value < LEVEL


def test_it_is_half_as_wide_again_where_it_is_the_tightest():
    """The ratio of arXiv 2103.06476 at its optimum: 1.55; less than rho (not its square) would give."""
    n = TIGHTEST_AT // 2
    found = not_none(share_difference(n // 2, n, n // 2, n))

    assert found.high / found.once_high == pytest.approx(1.55, abs=0.01)
    for customers in (TIGHTEST_AT // 4, 4 * TIGHTEST_AT):
        other = not_none(share_difference(customers // 4, customers // 2, customers // 4, customers // 2))
        assert other.high / other.once_high > 1.55


@given(COUNTS, COUNTS, st.floats(0, 1), st.floats(0, 1))
def test_arms_that_change_places_turn_the_difference_round(of, of_held, share, share_held):
    hits, hits_held = round(share * of), round(share_held * of_held)
    one = not_none(share_difference(hits, of, hits_held, of_held))
    other = not_none(share_difference(hits_held, of_held, hits, of))

    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_of_tiny_arms_and_of_money_that_never_varies_nothing_is_said():
    assert share_difference(3, 9, 3, 9_000) is None
    assert mean_difference(np.ones(50), np.ones(50)) is None
    assert mean_difference(np.arange(9.0), np.arange(900.0)) is None


def test_nobody_bought_is_not_certainty():
    found = not_none(share_difference(0, 900, 0, 100))

    assert found.low < -0.03
    assert found.high > 0.003


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_between_each_p_and_bonferroni_and_keeps_their_order(p_values):
    adjusted = holm(p_values)

    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p) + 1e-12
    for one, other in zip(
        np.argsort(p_values, kind="stable"), np.argsort(p_values, kind="stable")[1:], strict=False
    ):
        assert adjusted[one] <= adjusted[other]


def test_holms_own_steps():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize(("alerts", "points"), [(1_000, 14.5), (10_000, 4.6)])
def test_the_smallest_visible_effect_of_the_design(alerts, points):
    """40% buy again anyway, a tenth is held out."""
    held = alerts // 10

    assert 100 * smallest_visible_share(0.4, alerts - held, held) == pytest.approx(points, abs=0.05)


def test_a_planted_split_is_found_and_a_fair_one_is_not():
    assert sample_ratio_p(4_600, 10_000, 0.5) < 0.001
    assert sample_ratio_p(460, 10_000, 0.05) > 0.05
    found = [
        sample_ratio_p(held, 4_000, 0.1) < 0.001
        for held in np.random.default_rng(2).binomial(4_000, 0.1, 2_000)
    ]
    assert sum(found) <= 8


def differences(effect: float, seeds: int, n: int = 4_000, share: float = 0.2, base: float = 0.4):
    random = np.random.default_rng(3)
    for _ in range(seeds):
        held = int(random.binomial(n, share))
        hits, hits_held = random.binomial(n - held, base + effect), random.binomial(held, base)
        yield not_none(share_difference(int(hits), n - held, int(hits_held), held))


def test_a_planted_effect_is_covered_by_both_intervals():
    found = list(differences(0.06, 2_000))
    once = np.mean([each.once_low <= 0.06 <= each.once_high for each in found])
    always = np.mean([each.low <= 0.06 <= each.high for each in found])

    assert 0.94 <= once <= 0.96
    assert always >= 0.99


def test_without_an_effect_one_look_is_wrong_as_often_as_it_says():
    wrong = [not each.once_low <= 0 <= each.once_high for each in differences(0.0, 4_000)]

    assert 0.04 <= np.mean(wrong) <= 0.06


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_thirty_daily_looks_together_are_wrong_in_at_most_a_twentieth(share):
    random = np.random.default_rng(4)
    wrong = wrong_once = 0
    for _ in range(400):
        days, treated = random.binomial(1, 0.4, (30, 100)), random.random((30, 100)) >= share
        looks = []
        for day in range(1, 31):
            bought, arm = days[:day].ravel(), treated[:day].ravel()
            look = share_difference(
                int(bought[arm].sum()), int(arm.sum()), int(bought[~arm].sum()), int((~arm).sum())
            )
            looks += [look] if look is not None else []
        wrong += any(not each.low <= 0 <= each.high for each in looks)
        wrong_once += any(not each.once_low <= 0 <= each.once_high for each in looks)

    assert wrong <= 0.05 * 400
    assert wrong_once > 0.1 * 400, "the interval for one look is not for thirty"


def test_what_was_known_before_is_taken_out_and_the_difference_stays():
    random = np.random.default_rng(5)
    known = random.gamma(2.0, 5_000.0, (6_000, 2))
    treated = random.random(6_000) < 0.8
    money = 0.5 * known[:, 0] + random.normal(0, 1_000, 6_000) + 300.0 * treated
    adjusted = without_the_known(money, known, treated)
    plain = not_none(mean_difference(money[treated], money[~treated]))
    better = not_none(mean_difference(adjusted[treated], adjusted[~treated]))

    def width(found: Difference) -> float:
        return found.once_high - found.once_low

    assert width(better) < 0.5 * width(plain)
    assert better.once_low <= 300 <= better.once_high
    assert adjusted.mean() == pytest.approx(money.mean())
    theta = np.cov(money, known[:, 0])[0, 1] / known[:, 0].var(ddof=1)
    one = without_the_known(money - 300.0 * treated, known[:, :1], treated)
    assert one == pytest.approx(
        money - 300.0 * treated - theta * (known[:, 0] - known[:, 0].mean()), rel=0.05
    )


@pytest.mark.parametrize(
    "known", [np.zeros((50, 2)), np.full((50, 2), 1e15), np.arange(100.0).reshape(50, 2)]
)
def test_what_never_varies_or_is_the_same_twice_predicts_nothing_odd(known):
    money = np.random.default_rng(6).normal(0, 1, 50)

    adjusted = without_the_known(money, known, np.arange(50) % 3 > 0)

    assert np.isfinite(adjusted).all()
    assert adjusted.std() <= money.std() * 1.2


def test_money_beyond_a_quantile_counts_as_the_quantile():
    values = np.array([*range(100), 1e12])

    assert winsorised(values, 0.99).max() == np.quantile(values, 0.99)
    assert math.isfinite(winsorised(values, 0.99).sum())
