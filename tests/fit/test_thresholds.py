"""Learnt thresholds: the wanted precision at the threshold, the budget, or the best agreement."""

import numpy as np
import pytest

from stream.fit.risk.thresholds import learn_thresholds


def test_alerts_at_the_threshold_have_the_wanted_precision():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=20_000)
    silent = (chance.uniform(size=20_000) < risk**2).astype(float)  # calibrated badly: 0.8 means 0.64

    learnt = learn_thresholds(risk, silent, precision=0.64)

    assert learnt.raise_at == pytest.approx(0.8, abs=0.03)
    assert silent[risk >= learnt.raise_at].mean() > 0.75
    assert 0 < learnt.clear_at < learnt.raise_at


def test_where_no_level_reaches_the_precision_the_best_agreement_is_taken():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=2_000)
    silent = (chance.uniform(size=2_000) < 0.4 * risk).astype(float)

    learnt = learn_thresholds(risk, silent, precision=0.9)

    assert "no level reached" in learnt.learnt
    assert learnt.raise_at == learn_thresholds(risk, silent).raise_at


def test_a_budget_is_not_exceeded():
    chance = np.random.default_rng(3)
    risk = chance.uniform(size=5_000)

    learnt = learn_thresholds(risk, risk, budget_share=0.05)

    assert (risk >= learnt.raise_at).mean() == pytest.approx(0.05, abs=0.001)
