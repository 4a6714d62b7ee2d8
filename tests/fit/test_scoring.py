"""Scores against brute force, thresholds against their wish, tables against the core's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.analysis.statistics.scoring import auc, binned_brier, calibration_error, lift, quality
from stream.core.model.record import PurchaseProcess
from stream.core.units import DAY_MS
from stream.core.value.lifetime import table
from stream.fit.purchases.population import mid_ranks
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.thresholds import learn_thresholds

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


def test_alerts_at_the_threshold_have_the_wanted_precision_and_those_above_a_higher_one():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=20_000)
    silent = (chance.uniform(size=20_000) < risk**2).astype(float)  # calibrated badly: 0.8 means 0.64

    learnt = learn_thresholds(risk, silent, precision=0.64)

    assert learnt.raise_at == pytest.approx(0.8, abs=0.03)
    assert silent[risk >= learnt.raise_at].mean() > 0.75
    assert 0 < learnt.clear_at < learnt.raise_at


def test_a_precision_that_no_level_reaches_is_said_and_the_best_agreement_taken():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=2_000)
    silent = (chance.uniform(size=2_000) < 0.4 * risk).astype(float)

    learnt = learn_thresholds(risk, silent, precision=0.9)

    assert "no level reached" in learnt.learnt
    assert learnt.raise_at == learn_thresholds(risk, silent).raise_at


def test_a_budget_is_not_overdrawn():
    chance = np.random.default_rng(3)
    risk = chance.uniform(size=5_000)

    learnt = learn_thresholds(risk, risk, budget_share=0.05)

    assert (risk >= learnt.raise_at).mean() == pytest.approx(0.05, abs=0.001)


def test_fast_tables_are_those_of_the_core():
    process = PurchaseProcess(kind="bgnbd", r=0.3, alpha=5.0, a=1.0, b=2.5)

    fast, slow = fast_table(process, 365 * DAY_MS, 0.1), table(process, 365 * DAY_MS, 0.1)

    assert fast.frequencies == slow.frequencies
    for one, other in zip(fast.rows, slow.rows, strict=True):
        assert one == pytest.approx(other, abs=1e-9)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=500))
def test_mid_ranks_of_knots_are_exact(values):
    data = np.array(values, float)
    ranks = mid_ranks(data)

    for value in ranks.values:
        exact = ((data < value).sum() + (data <= value).sum()) / 2 / len(data)
        assert ranks.rank(value) == pytest.approx(exact, abs=1e-8)
