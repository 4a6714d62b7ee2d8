"""The matrix of features has the numbers of the core; what customers have in common is computed once."""

import numpy as np
import pytest

from stream.core.policy.policy import Policy
from stream.core.risk.churn import observe, risk_score
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.risk.risk_layer import churn_risks
from stream.fit.risk.training_set import feature_matrix
from stream.model_file import default_model
from tests.support.seasons import seasonal_model
from tests.support.shop import purchases


@pytest.mark.parametrize("model", [default_model(), seasonal_model()], ids=["plain", "seasonal"])
def test_every_number_is_that_of_the_core(model):
    events = purchases(customers=150)
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    snapshot = read_history(events, [day_ms], Policy()).snapshots[day_ms]

    each = [observe(model, features, day_ms) for features in snapshot.features]

    assert np.array_equal(feature_matrix(model, snapshot), np.array(each))


@pytest.mark.parametrize("model", [default_model(), seasonal_model()], ids=["process", "layer"])
def test_risks_of_the_weighed_features_alone_are_those_of_the_core(model):
    events = purchases(customers=150)
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    snapshot = read_history(events, [day_ms], Policy()).snapshots[day_ms]

    each = [risk_score(model, features, day_ms) for features in snapshot.features]

    assert churn_risks(model, snapshot) == pytest.approx(each, rel=1e-9)
