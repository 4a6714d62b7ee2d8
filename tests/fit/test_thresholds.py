"""Learnt thresholds: the wanted precision at the threshold, the budget, or the best agreement."""

import numpy as np
import pytest

from stream.fit.risk.thresholds import PastWindow, learn_thresholds


def test_alerts_at_the_threshold_have_the_wanted_precision():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=20_000)
    silent = (chance.uniform(size=20_000) < risk**2).astype(float)  # calibrated badly: 0.8 means 0.64

    learnt = learn_thresholds([PastWindow(risk, silent)], precision=0.64)

    assert learnt.raise_at == pytest.approx(0.8, abs=0.03)
    assert silent[risk >= learnt.raise_at].mean() > 0.75
    assert 0 < learnt.clear_at < learnt.raise_at


def test_where_no_level_reaches_the_precision_the_surest_is_taken_and_never_a_lower_one():
    chance = np.random.default_rng(2)
    risk = chance.uniform(size=2_000)
    silent = (chance.uniform(size=2_000) < 0.4 * risk).astype(float)

    learnt = learn_thresholds([PastWindow(risk, silent)], precision=0.9)

    assert "no level reached: reachable are about 4" in learnt.learnt
    assert learnt.raise_at >= 0.9
    assert learnt.promised == pytest.approx(0.42, abs=0.08)


def test_an_unreachable_wish_of_risks_that_are_all_low_is_not_met_by_alerting_many():
    chance = np.random.default_rng(4)
    risk = chance.uniform(0.05, 0.5, size=5_000)
    silent = (chance.uniform(size=5_000) < risk).astype(float)

    learnt = learn_thresholds([PastWindow(risk, silent)], precision=0.7)

    assert learnt.raise_at == 0.7  # best agreement would be .3, and would alert half of all


def test_one_unusual_window_alone_promises_nothing():
    chance = np.random.default_rng(5)
    risk = chance.uniform(size=20_000)
    usual = PastWindow(risk, (chance.uniform(size=20_000) < 0.7 * risk).astype(float))
    unusual = PastWindow(risk, (chance.uniform(size=20_000) < risk).astype(float))

    alone = learn_thresholds([unusual], precision=0.6)
    both = learn_thresholds([unusual, usual], precision=0.6)

    assert alone.raise_at == pytest.approx(0.6, abs=0.04)
    assert both.raise_at == pytest.approx(0.6 / 0.85, abs=0.04)
    assert "in 2 windows" in both.learnt
    assert both.promised == pytest.approx(0.6, abs=0.05)


def test_a_budget_is_not_exceeded():
    chance = np.random.default_rng(3)
    risk = chance.uniform(size=5_000)

    learnt = learn_thresholds([PastWindow(risk, risk)], budget_share=0.05)

    assert (risk >= learnt.raise_at).mean() == pytest.approx(0.05, abs=0.001)
