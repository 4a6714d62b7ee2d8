"""Scores against brute force: ranking, calibration, lift and the Brier score of a baseline."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.analysis.statistics.scoring import auc, binned_brier, calibration_error, lift, quality

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60)


@given(scored)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    score, churned = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[churned] for b in score[~churned]]

    assert auc(score, churned) == (pytest.approx(np.mean(pairs)) if pairs else None)


def test_a_perfect_and_a_useless_probability():
    churned = np.array([True] * 20 + [False] * 80)

    perfect, base = quality(churned.astype(float), churned), quality(np.full(100, 0.2), churned)

    assert (perfect.auc, perfect.brier, perfect.lift10) == (1.0, 0.0, 5.0)
    assert base.brier == pytest.approx(0.16)
    assert base.auc == 0.5
    assert lift(np.zeros(100), churned) == pytest.approx(1.0)


def test_calibration_error_is_the_mean_distance_of_tenths():
    churned = np.tile([True, False], 50)

    assert calibration_error(np.full(100, 0.7), churned) == pytest.approx(0.2)


def test_binned_rates_are_learnt_from_the_other_half():
    chance = np.random.default_rng(1)
    score = chance.uniform(size=4_000)
    churned = chance.uniform(size=4_000) < score

    assert binned_brier(score, churned) == pytest.approx(np.mean(score * (1 - score)), abs=0.01)
