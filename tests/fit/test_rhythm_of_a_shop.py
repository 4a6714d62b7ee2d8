"""A shop of clockwork and irregular customers: the fit learns that even gaps make a silence tell sooner."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from stream.core.model.features import Features
from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.core.risk.churn import crossing_ms, risk_score
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.importing.generated.kinds.history import kind_history
from stream.model_file import default_model

pytestmark = pytest.mark.slow  # a fit

SPLIT_MS = int(datetime(2023, 12, 31, tzinfo=UTC).timestamp() * 1_000)


@cache
def fitted():
    """The model of three years of the shop, and everybody with their kind as of the last day."""
    shop, events = kind_history("clockwork", 1, 1_000)
    horizon = Horizon(min_ms=8 * WEEK_MS, max_ms=8 * WEEK_MS)
    days = snapshot_days(events[0].time_ms // DAY_MS * DAY_MS, SPLIT_MS, horizon)
    history = read_history((one for one in events if one.time_ms < SPLIT_MS + DAY_MS), days, Policy())
    model = fit_model(history, SPLIT_MS, FitOptions("test", "a test", horizon), default_model())
    return model, history.snapshots[SPLIT_MS], {one.id: one.kind for one in shop.customers}


def monthly(variation, gaps=12):
    recent = sum(0.5 ** (number * 30 / 90) for number in range(gaps + 1))
    first_ms = SPLIT_MS - gaps * 30 * DAY_MS
    return Features(
        frequency=gaps, first_ms=first_ms, last_ms=SPLIT_MS, monetary_minor=5_000.0, first_minor=5_000.0,
        last_gap_ms=30 * DAY_MS, regularity=variation, recent=recent,
    )  # fmt: skip


def test_a_customer_of_30_days_give_or_take_2_is_alerted_within_12_days_of_being_late_an_irregular_one_not():
    model, _, _ = fitted()
    assert model.thresholds is not None
    assert model.risk is not None
    assert "overdue" in {term.feature for segment in model.risk.segments for term in segment.terms}

    for level in (0.5, model.thresholds.raise_at):
        clockwork, irregular = (crossing_ms(model, monthly(cv), level) for cv in (2 / 30, 1.0))

        assert clockwork is not None
        assert 30 <= (clockwork - SPLIT_MS) / DAY_MS <= 42
        assert irregular is None or (irregular - SPLIT_MS) / DAY_MS > 45


def test_after_45_days_of_silence_who_keeps_a_rhythm_is_said_to_have_left_and_who_buys_by_chance_is_not():
    model, snapshot, kinds = fitted()
    risks: dict[str, list[float]] = {"clockwork": [], "irregular": []}
    for customer, features in zip(snapshot.customers, snapshot.features, strict=True):
        if features.frequency >= 4 and 45 <= (SPLIT_MS - features.last_ms) / DAY_MS < 80:
            risks[kinds[customer]].append(risk_score(model, features, SPLIT_MS))

    assert np.mean(risks["clockwork"]) > 0.8
    assert np.mean(risks["irregular"]) < 0.65
