"""Exact odds ratios: one group is Fisher's exact test, several are a sum of such, extremes are finite."""

import numpy as np
import pytest
from scipy.stats import hypergeom
from scipy.stats.contingency import odds_ratio

from stream.analysis.statistics.exact import ContingencyTables, exact_odds_ratio
from tests.support.narrow import not_none


def tables(*groups):
    """Groups as counts: exposed who left and who stayed, others who left and who stayed."""
    a, b, c, d = np.array(groups, dtype=np.int64).T
    return ContingencyTables(a, a + b, a + c, a + b + c + d)


@pytest.mark.parametrize("group", [(7, 3, 20, 170), (1, 9, 40, 60), (3, 5, 4, 6), (0, 12, 30, 60)])
def test_one_group_is_fishers_table(group):
    a, b, c, d = group
    law = hypergeom(sum(group), a + c, a + b)
    wanted = odds_ratio([[a, b], [c, d]], kind="conditional").statistic

    found = not_none(exact_odds_ratio(tables(group)))

    assert found.p_value == pytest.approx(min(1.0, 2 * min(law.cdf(a), law.sf(a - 1))))
    if a:
        assert found.odds_ratio == pytest.approx(wanted, rel=1e-3)
    else:
        assert found.low < found.odds_ratio < 0.01 < found.high < 1


def test_the_p_value_of_several_groups_is_that_of_random_draws():
    groups = [(1, 0, 3, 40), (0, 1, 5, 30), (2, 1, 4, 20), (1, 1, 1, 9)]
    chance = np.random.default_rng(1)
    drawn = np.sum([chance.hypergeometric(a + c, b + d, a + b, 200_000) for a, b, c, d in groups], axis=0)

    found = not_none(exact_odds_ratio(tables(*groups)))

    seen = sum(group[0] for group in groups)
    assert found.p_value == pytest.approx(2 * (drawn >= seen).mean(), rel=0.05)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    chance, held = np.random.default_rng(2), 0
    for _ in range(200):
        base = chance.uniform(0.05, 0.4, 30)
        odds = 4.0 * base / (1 - base)
        a = chance.binomial(2, odds / (1 + odds))
        c = chance.binomial(12, base)
        found = not_none(exact_odds_ratio(tables(*zip(a, 2 - a, c, 12 - c, strict=True))))
        held += found.low <= 4.0 <= found.high

    assert 0.90 <= held / 200 <= 0.99


def test_margins_with_one_outcome_give_nothing_and_extremes_are_finite():
    assert exact_odds_ratio(tables((3, 0, 9, 0))) is None
    assert exact_odds_ratio(tables((0, 4, 0, 9))) is None
    everybody = not_none(exact_odds_ratio(tables(*[(1, 0, 0, 20)] * 400)))
    assert everybody.p_value < 1e-300
    assert 1_000 < everybody.odds_ratio < 1_200
    assert everybody.low > 100
