"""Customers who spend the same are no elite, however many quantiles their spend is of."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.judgement.tier import cutoffs_minor, tier_of
from stream.core.policy.policy import Ladder
from stream.model_file import default_model
from stream.policy_file import default_policy

LADDER = default_policy().ladder
SHARES = [step.quantile for step in LADDER.steps]


def cutoffs(quantiles, ladder: Ladder = LADDER):
    model = default_model()
    population = msgspec.structs.replace(model.population, value_quantiles=tuple(quantiles))
    return cutoffs_minor(ladder, msgspec.structs.replace(model, population=population))


@pytest.mark.parametrize("lower", [0, 42, 60])
def test_those_who_spend_the_same_are_not_the_best_twentieth(lower):
    """42% spend less, 58% the same 45 euros: of the highest tier is who spends twice as much."""
    found = cutoffs([1_000.0] * lower + [4_500.0] * (101 - lower))
    assert tier_of(4_500.0, 0, found, LADDER.slack) < len(SHARES) - 1
    assert tier_of(9_000.0, 0, found, LADDER.slack) == len(SHARES) - 1


def test_a_few_above_the_many_are_the_highest_tier():
    found = cutoffs([4_500.0] * 97 + [6_000.0] * 4)
    assert found[-1] == 6_000.0


def test_where_spend_differs_each_tier_begins_at_its_quantile():
    quantiles = [float(100 * place) for place in range(101)]
    assert cutoffs(quantiles)[1:] == tuple(quantiles[round(share * 100)] for share in SHARES[1:])
    shipped = default_model().population.value_quantiles
    assert cutoffs(shipped)[1:] == tuple(shipped[round(share * 100)] for share in SHARES[1:])


@given(st.lists(st.sampled_from([0.0, 1.0, 500.0, 501.0, 1e308]), min_size=101, max_size=101).map(sorted))
def test_tiers_begin_in_order_and_at_numbers(quantiles):
    found = cutoffs(quantiles)
    assert list(found) == sorted(found)
    assert all(0.0 <= each < float("inf") for each in found)
