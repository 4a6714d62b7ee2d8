"""What lies far from all lessons today is not weighed: a weight of a few customers would move everybody."""

import numpy as np

from stream.core.model.features import NAMES
from stream.fit.risk.risk_layer import ANCHOR, LEFT_OUT, LEFT_OUT_IN_SEASONS, fit_risk_layer, left_out_of
from stream.fit.risk.training_set import TrainingRows

DAY, HORIZON = 1_000, 7_000
OVERDUE = NAMES.index("overdue")


def lessons(seed, shift=0.0):
    """A thousand customers of whom a few alone are overdue, as by a process that knows nobody who leaves."""
    draw = np.random.default_rng(seed)
    features = draw.normal(0.0, 1.0, (1_000, len(NAMES))) + shift
    features[:, OVERDUE] = -17.7 + draw.normal(0.0, 0.1, 1_000)
    features[:15, OVERDUE] = -3.5
    silent = draw.random(1_000) < 1.0 / (1.0 + np.exp(-features[:, NAMES.index(ANCHOR)]))
    silent[:15] = True
    return TrainingRows(features, silent, np.zeros(1_000), (seed * DAY, seed * DAY + HORIZON))


def test_a_feature_that_is_of_all_today_what_it_was_of_a_few_is_left_out():
    parts = [lessons(1), lessons(9)]
    now = lessons(20).features.copy()
    assert left_out_of(parts, now, seasonal=False) == LEFT_OUT
    assert left_out_of(parts, now, seasonal=True) == LEFT_OUT_IN_SEASONS

    now[:, OVERDUE] = -5.0

    left_out = left_out_of(parts, now, seasonal=False)
    assert left_out == (*LEFT_OUT, "overdue")
    (segment,) = fit_risk_layer(parts, "a test", left_out).layer.segments
    assert "overdue" not in [term.feature for term in segment.terms]


def test_the_risk_of_the_process_is_never_left_out():
    parts = [lessons(1)]
    assert ANCHOR not in left_out_of(parts, lessons(2, shift=50.0).features, seasonal=False)
