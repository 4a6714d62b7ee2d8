"""Whose risk a model states, judged by customers that were not learnt from; stalls are no lessons."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.model.features import NAMES, Features
from stream.core.model.record import RiskLayer, RiskSegment, Term
from stream.core.risk.churn import observe
from stream.core.risk.curve import risk_curve
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.risk.adoption import adopted
from stream.fit.risk.risk_layer import constant_layer, half_way, log_odds
from stream.fit.risk.stalls import is_clear, stalled_days
from stream.fit.risk.thresholds import never_alerted
from stream.fit.risk.training_set import TrainingRows
from stream.model_file import default_model


def lesson(day, silent, process):
    """As of a day, over four weeks: who was silent, and the risk that the process states."""
    features = np.zeros((len(silent), len(NAMES)))
    features[:, NAMES.index("churn_logit")] = np.log(process / (1.0 - process))
    span_ms = (day * DAY_MS, day * DAY_MS + 4 * WEEK_MS)
    return TrainingRows(features, np.asarray(silent, dtype=bool), np.zeros(len(silent)), span_ms)


@pytest.fixture(scope="module")
def customers():
    """True risks of 2,000 customers, and what they did on two looks."""
    chance = np.random.default_rng(7)
    risk = chance.uniform(0.05, 0.95, 2_000)
    return risk, [chance.uniform(size=2_000) < risk for _ in range(2)]


def test_a_layer_that_is_right_is_adopted(customers):
    risk, (before, now) = customers
    parts = [lesson(100, now, np.full(2_000, 0.3)), lesson(50, before, np.full(2_000, 0.3))]

    assert adopted(parts, risk).basis == "layer"


def test_a_layer_worse_than_its_process_gives_way_to_it(customers):
    risk, (before, now) = customers
    parts = [lesson(100, now, risk), lesson(50, before, risk)]
    found = adopted(parts, 0.5 + 0.4 * risk)

    assert found.basis == "process"
    assert "2,000 customers as of 1970-04-11, 4 weeks" in found.words


def test_where_both_are_worse_than_one_risk_for_all_it_is_stated(customers):
    risk, (before, now) = customers
    upside_down = 1.0 - risk

    assert adopted([lesson(100, now, upside_down), lesson(50, before, risk)], upside_down).basis == "constant"


def test_a_difference_within_noise_keeps_the_layer(customers):
    risk, (before, now) = customers
    shaken = np.clip(risk + np.random.default_rng(1).normal(0.0, 0.01, 2_000), 0.01, 0.99)

    assert adopted([lesson(100, now, risk), lesson(50, before, risk)], shaken).basis == "layer"


def test_where_few_customers_leave_it_to_noise_the_risk_is_half_way(customers):
    risk, (before, now) = (customers[0][:600], [one[:600] for one in customers[1]])
    shaken = np.clip(risk + np.random.default_rng(1).normal(0.0, 0.01, 600), 0.01, 0.99)
    parts = [lesson(100, now, risk), lesson(50, before, risk)]
    found = adopted(parts, shaken)

    assert found.basis == "half"
    assert "half of each" in found.words
    assert "too few customers to tell which of the two is better" in found.words
    assert adopted(parts, 0.5 + 0.4 * risk).basis == "process"
    unlearnt = [lesson(100, now, np.full(600, 0.3)), lesson(50, before, np.full(600, 0.3))]
    assert adopted(unlearnt, risk).basis == "layer"


@given(st.floats(-4, 4), st.floats(-2, 2), st.floats(-9, 9))
def test_half_way_is_the_mean_of_the_log_odds_of_layer_and_process(intercept, weight, centre):
    terms = (Term(feature="silence", weight=abs(weight), centre=centre, scale=1.5, low=0.5, high=4.0),)
    layer = RiskLayer(segments=(RiskSegment(frequency_min=0, intercept=intercept, terms=terms),), learnt="x")
    features = Features(frequency=3, first_ms=0, last_ms=90 * DAY_MS)
    by = [msgspec.structs.replace(default_model(), risk=one) for one in (layer, None, half_way(layer))]

    for silent_days in (0, 30, 400):
        at_ms = features.last_ms + silent_days * DAY_MS
        own, process, half = (risk_curve(model, features).log_odds(at_ms) for model in by)
        assert half == pytest.approx((own + process) / 2, abs=1e-6)
        matrix = np.array([observe(by[0], features, at_ms)])
        assert log_odds(half_way(layer), matrix)[0] == pytest.approx(half)


def test_a_layer_that_could_not_be_tried_is_not_adopted(customers):
    risk, (_, now) = customers
    found = adopted([lesson(100, now, risk)], None)

    assert found.basis == "process"
    assert "could not be tried" in found.words


def test_one_risk_for_everybody_alerts_nobody():
    layer = constant_layer(1.0, "why")

    assert 1.0 / (1.0 + np.exp(-layer.segments[0].intercept)) < never_alerted("why.").raise_at < 1.0


DAYS = 730


def days_of(orders_of_day):
    """Times of orders, so many on each day."""
    return [day * DAY_MS + 1 for day in range(DAYS) for _ in range(orders_of_day(day))]


def test_days_far_below_the_usual_volume_are_stalled():
    stalled = stalled_days(days_of(lambda day: 1 if 400 <= day < 460 else 12), 0, (DAYS - 1) * DAY_MS)

    assert stalled[405:455].all()
    assert not stalled[:398].any()
    assert not stalled[463:].any()


@pytest.mark.parametrize(
    "orders_of_day",
    [
        lambda day: 40 if day % 365 > 318 and day % 365 < 358 else 5,  # Christmas
        lambda day: 4 + day // 20,  # growth
        lambda day: 12 if day < 600 else 4,  # a fall by two thirds
        lambda day: 1 if day % 3 == 0 else 0,  # too few to see anything
        lambda day: 14 if day % 7 < 5 else 0,  # closed at weekends
    ],
)
def test_a_season_growth_and_a_fall_are_no_stall(orders_of_day):
    assert not stalled_days(days_of(orders_of_day), 0, (DAYS - 1) * DAY_MS).any()


def test_a_lesson_over_a_stall_or_just_after_it_is_left_out():
    stalled = np.zeros(DAYS, dtype=bool)
    stalled[400:460] = True

    def clear(day):
        return is_clear(stalled, 0, day * DAY_MS, 90 * DAY_MS)

    assert clear(300)
    assert not clear(360)
    assert not clear(430)
    assert not clear(470)
    assert clear(510)
