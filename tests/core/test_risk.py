"""Churn risk: silence only raises it, its parts add up, and the crossing is exact to the millisecond."""

import math

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.core.model.document import ModelError, check_model, decode_model, encode_model, sealed
from stream.core.model.features import COLUMNS, FEATURES, NAMES, OF_SEASON, RISES, STANDS, Features
from stream.core.model.record import Evenness, PurchaseProcess, RiskLayer, RiskSegment, Term
from stream.core.risk.churn import (
    SILENCE_MAX_MS,
    crossing_ms,
    explained_risk,
    log_odds_of,
    observe,
    risk_review_ms,
    risk_score,
)
from stream.core.risk.crossing import first_crossing
from stream.core.risk.curve import risk_curve
from stream.core.risk.inactivity import inactivity
from stream.core.units import DAY_MS, WEEK_MS
from stream.core.value.clv import own_horizon, p_active
from stream.model_file import default_model

PLAIN = default_model()


def layered(weights, evenness=None, **held):
    terms = tuple(
        Term(feature=name, weight=weight, centre=0.3, scale=1.5, **held) for name, weight in weights.items()
    )
    segments = (
        RiskSegment(frequency_min=0, intercept=-0.4, terms=terms),
        RiskSegment(frequency_min=2, intercept=-1.4, terms=terms[::-1]),
    )
    layer = RiskLayer(segments=segments, learnt="for a test")
    return msgspec.structs.replace(PLAIN, risk=layer, evenness=evenness)


signs = {RISES: st.floats(0, 2), STANDS: st.floats(-1, 1), -1: st.floats(-2, 0)}
weights = st.fixed_dictionaries({feature.name: signs[feature.silence] for feature in COLUMNS})
ranges = st.tuples(st.floats(-3, 3), st.floats(0, 4))
evennesses = st.none() | st.builds(Evenness, shape=st.floats(0.001, 1_000), rate=st.floats(0.001, 1_000))
layers = st.one_of(
    st.builds(layered, weights, evennesses),
    st.builds(
        lambda each, held, even: layered(each, even, low=held[0], high=held[0] + held[1]),
        weights,
        ranges,
        evennesses,
    ),
)
models = st.one_of(
    st.just(PLAIN),
    st.just(
        msgspec.structs.replace(PLAIN, process=PurchaseProcess(kind="bgnbd", r=0.2, alpha=4, a=0.8, b=2.4))
    ),
    layers,
)


@st.composite
def customers(draw):
    x = draw(st.integers(0, 300))
    first_ms = draw(st.integers(0, 2_000_000_000_000))
    span_ms = draw(st.integers(x * DAY_MS, x * 60 * DAY_MS))
    return Features(
        frequency=x,
        first_ms=first_ms,
        last_ms=first_ms + span_ms,
        monetary_minor=draw(st.floats(0, 100_000)) if x else 0.0,
        first_minor=draw(st.floats(0, 100_000)),
        last_gap_ms=draw(st.integers(DAY_MS, 300 * DAY_MS)) if x else 0,
        regularity=draw(st.floats(0, 4)) if x > 1 else 0.0,
        recent=draw(st.floats(0, 50)),
        engagement=draw(st.floats(0, 50)),
        engagement_ms=first_ms + draw(st.integers(0, 400 * DAY_MS)),
        sentiment=draw(st.floats(-1, 1)),
    )


def test_a_feature_beyond_what_the_lessons_had_counts_as_their_edge():
    features = Features(frequency=3, first_ms=0, last_ms=60 * DAY_MS)
    model = layered({"silence": 1.0}, low=1.0, high=3.0)  # log of days since the last purchase
    free = layered({"silence": 1.0})
    at_edge = features.last_ms + round(math.expm1(3.0) * DAY_MS)

    def risk(model, at_ms):
        return risk_score(model, features, at_ms)

    assert risk(model, features.last_ms) > risk(free, features.last_ms)
    assert risk(model, at_edge - DAY_MS) == risk(free, at_edge - DAY_MS)
    assert risk(model, at_edge + DAY_MS) == risk(model, at_edge + 900 * DAY_MS) < risk(free, at_edge + DAY_MS)


def test_a_fading_feature_that_no_lesson_had_at_nothing_counts_as_the_least_one():
    features = Features(frequency=3, first_ms=0, last_ms=60 * DAY_MS)  # recent and engagement are 0
    least = risk_score(layered({"recent": -1.0}, low=0.5, high=2.0), features, 61 * DAY_MS)

    assert least < risk_score(layered({"recent": -1.0}), features, 61 * DAY_MS)


def test_a_model_without_ranges_has_the_bytes_that_it_had():
    def encoded(**held):
        model = layered({"silence": 1.0}, **held)
        return encode_model(sealed(msgspec.structs.replace(model, version="")))

    text, held = encoded(), encoded(low=0.0, high=2.0)

    assert b'"terms":[{"feature":"silence","weight":1.0,"centre":0.3,"scale":1.5}]' in text
    assert b'"scale":1.5,"low":0.0,"high":2.0}' in held
    assert encode_model(decode_model(held)) == held


@pytest.mark.parametrize("held", [{"low": 2.0, "high": 1.0}, {"low": math.inf}])
def test_a_range_that_holds_nothing_is_refused(held):
    with pytest.raises(ModelError):
        check_model(layered({"silence": 1.0}, **held))


@given(models, customers(), st.integers(0, 900 * DAY_MS), st.integers(0, 900 * DAY_MS))
def test_silence_never_lowers_the_risk(model, features, since_ms, more_ms):
    now, later = features.last_ms + since_ms, features.last_ms + since_ms + more_ms

    assert risk_score(model, features, later) >= risk_score(model, features, now) - 1e-12


@given(models, customers(), st.integers(0, 900 * DAY_MS))
def test_the_contributions_sum_to_the_log_odds_of_the_score(model, features, since_ms):
    as_of_ms = features.last_ms + since_ms

    risk = explained_risk(model, features, as_of_ms)

    total = risk.base + sum(part for _, part in risk.contributions)
    assert risk.score == pytest.approx(1 / (1 + math.exp(-total)), rel=1e-9)
    assert risk.score == pytest.approx(risk_score(model, features, as_of_ms), rel=1e-9)


@given(models, customers(), st.floats(0.05, 0.98), st.integers(0, 400 * DAY_MS))
def test_the_crossing_is_the_first_millisecond_at_the_threshold(model, features, threshold, since_ms):
    from_ms = features.last_ms + since_ms

    at_ms = crossing_ms(model, features, threshold, from_ms)

    if at_ms is None:
        assert risk_score(model, features, features.last_ms + 19 * 365 * DAY_MS) < threshold
        return
    assert risk_score(model, features, at_ms) >= threshold * (1 - 1e-12)
    assert at_ms >= from_ms
    if at_ms > from_ms:
        assert risk_score(model, features, at_ms - 1) <= threshold * (1 + 1e-12)


@given(models, customers(), st.floats(0.05, 0.98), st.integers(0, 400 * DAY_MS))
def test_the_next_review_is_never_after_the_crossing_and_the_second_one_is_at_it(
    model, features, threshold, since_ms
):
    from_ms, curve = features.last_ms + since_ms, risk_curve(model, features)
    assume(0.0 < risk_score(model, features, from_ms) < threshold)
    crossing = crossing_ms(model, features, threshold, from_ms)

    first_ms = risk_review_ms(model, curve, threshold, from_ms, risk_score(model, features, from_ms))

    if first_ms != crossing:
        assert first_ms is not None
        assert from_ms < first_ms
        assert crossing is None or first_ms < crossing
        later = risk_score(model, features, first_ms)
        assert risk_review_ms(model, curve, threshold, first_ms, later) == crossing


@given(st.sampled_from(["bgnbd", "mbgnbd"]), customers(), st.floats(0.02, 0.995))
def test_the_near_bound_of_a_crossing_does_not_move_it(kind, features, threshold):
    process = PurchaseProcess(kind=kind, r=0.4, alpha=5, a=0.8, b=2.4)
    model = msgspec.structs.replace(PLAIN, process=process)
    own = inactivity(model, features.frequency, features.last_ms - features.first_ms)

    after_ms = first_crossing(own.log_odds, log_odds_of(threshold), 0, SILENCE_MAX_MS, 0)

    crossing = crossing_ms(model, features, threshold)
    assert crossing == (None if after_ms is None else features.last_ms + after_ms)


def test_a_model_in_which_silence_would_lower_the_risk_is_refused():
    with pytest.raises(ModelError, match="silence would lower the risk"):
        check_model(layered({"recent": 0.5}))
    with pytest.raises(ModelError, match="'charm' is no feature"):
        check_model(layered({"charm": 0.5}))


def test_without_a_learnt_layer_the_risk_is_that_of_no_purchase_within_the_own_horizon():
    features = Features(frequency=7, first_ms=0, last_ms=29 * WEEK_MS)
    horizon = own_horizon(PLAIN.process, PLAIN.horizon, 7, 29.0)

    assert risk_score(PLAIN, features, 38 * WEEK_MS) == pytest.approx(
        1 - p_active(PLAIN.process, 7, 29.0, 38.0, horizon)
    )


def test_each_feature_has_its_own_name_and_column():
    assert [feature.column for feature in COLUMNS] == list(range(len(FEATURES)))
    assert len(set(NAMES)) == len(FEATURES)


def test_every_feature_is_observed_in_the_order_of_the_columns():
    features = Features(
        frequency=3, first_ms=0, last_ms=90 * DAY_MS, monetary_minor=1_900, first_minor=900,
        last_gap_ms=30 * DAY_MS, regularity=0.5, recent=2.0, engagement=3.0, engagement_ms=90 * DAY_MS,
        sentiment=-0.5, returns=0.1, tickets=1.0,
    )  # fmt: skip
    seen = dict(zip(NAMES, observe(PLAIN, features, 100 * DAY_MS), strict=True))

    of_season = {feature.name for feature in OF_SEASON}
    assert {name for name, value in seen.items() if not value} == of_season  # this model knows none
    assert seen["silence"] == pytest.approx(2.397895)
    assert seen["regularity"] == 0.5
    assert seen["monetary"] == pytest.approx(2.995732)
    assert seen["tickets"] == pytest.approx(0.693147)
