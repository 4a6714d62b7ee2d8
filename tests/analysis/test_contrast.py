"""Matched contrasts: a planted effect is recovered, a confounder is not taken for one, noise has none."""

import numpy as np
import pytest

from stream.analysis.statistics.contrast import SUPPORT_MIN, contrast, discoveries
from tests.support.narrow import not_none


def test_a_planted_effect_is_recovered_within_its_interval():
    chance = np.random.default_rng(1)
    groups = chance.integers(0, 6, 6_000)
    exposed = chance.uniform(size=6_000) < 0.1 + 0.1 * groups
    odds = np.exp(-2.0 + 0.4 * groups + np.log(3.0) * exposed)
    left = chance.uniform(size=6_000) < odds / (1 + odds)

    found = not_none(contrast("planted", exposed, left, groups))

    assert found.low < 3.0 < found.high
    assert found.odds_ratio == pytest.approx(3.0, rel=0.2)
    assert found.left_exposed > found.left_matched


def test_a_confounder_is_no_driver_within_matched_groups():
    chance = np.random.default_rng(2)
    groups = chance.integers(0, 2, 6_000)
    exposed, left = (chance.uniform(size=6_000) < np.where(groups == 1, 0.7, 0.1) for _ in range(2))

    crude = not_none(contrast("crude", exposed, left, np.zeros(6_000, dtype=int)))
    assert crude.odds_ratio > 3
    matched = not_none(contrast("matched", exposed, left, groups))
    assert matched.low < 1 < matched.high


def test_too_few_customers_give_no_contrast():
    exposed = np.array([True] * (SUPPORT_MIN - 1) + [False] * 500)
    left = np.arange(len(exposed)) < 50

    assert contrast("rare", exposed, left, np.zeros(len(exposed), dtype=int)) is None


def test_false_discoveries_in_noise_are_rare():
    chance = np.random.default_rng(3)
    with_any = 0
    for _ in range(60):
        left = chance.uniform(size=600) < 0.3
        groups = chance.integers(0, 4, 600)
        asked = [contrast(str(k), chance.uniform(size=600) < 0.2, left, groups) for k in range(20)]
        with_any += any(one.found for one in discoveries([one for one in asked if one]))

    assert with_any / 60 <= 0.10


def test_a_discovery_stands_among_noise():
    chance = np.random.default_rng(4)
    exposed = chance.uniform(size=2_000) < 0.3
    left = chance.uniform(size=2_000) < np.where(exposed, 0.5, 0.2)
    groups = np.zeros(2_000, dtype=int)
    contrasts = [contrast(f"noise {k}", chance.uniform(size=2_000) < 0.3, left, groups) for k in range(20)]
    contrasts.append(contrast("true", exposed, left, groups))

    ordered = discoveries([not_none(each) for each in contrasts])

    assert [one.name for one in ordered if one.found] == ["true"]
    assert [one.p_value for one in ordered] == sorted(one.p_value for one in ordered)
