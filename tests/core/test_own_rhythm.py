"""The customer's own rhythm: the more even the gaps, the sooner a silence tells; chance is BG/NBD's own."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import burr12, gamma

from stream.core.model.document import ModelError, check_model, decode_model, encode_model, sealed
from stream.core.model.evenness import OwnRhythm, gap_shape
from stream.core.model.features import NAMES, Features
from stream.core.model.record import Evenness
from stream.core.risk.churn import observe
from stream.core.units import DAY_MS
from stream.fit.purchases.evenness import fit_evenness
from stream.fit.risk.risk_layer import LEFT_OUT_IN_SEASONS
from stream.fit.risk.season_lessons import by_clock_of
from stream.model_file import default_model
from tests.support.seasons import SEASONS, seasonal, seasonal_model

PLAIN = default_model()
HALF_LIKE_CLOCKWORK = msgspec.structs.replace(PLAIN, evenness=Evenness(shape=0.34, rate=0.018))


def monthly(variation, gaps=12):
    """A customer of so many gaps, 30 days in the mean."""
    span_ms = 30 * gaps * DAY_MS
    return Features(frequency=gaps, first_ms=0, last_ms=span_ms, regularity=variation)


def seen(model, features, silent_days):
    """Feature -> value after a silence."""
    return dict(zip(NAMES, observe(model, features, features.last_ms + silent_days * DAY_MS), strict=True))


def test_a_silence_of_45_days_tells_of_a_customer_of_30_days_give_or_take_2_and_not_of_one_by_chance():
    clockwork, by_chance = monthly(2 / 30), monthly(1.0)

    due = seen(HALF_LIKE_CLOCKWORK, clockwork, 28)["overdue"]
    late = seen(HALF_LIKE_CLOCKWORK, clockwork, 42)["overdue"]
    as_usual = seen(HALF_LIKE_CLOCKWORK, by_chance, 42)["overdue"]

    assert late - due > 4.0
    assert late - as_usual > 3.0
    assert late > 2.0 > -0.5 > as_usual


@given(st.integers(0, 300), st.floats(0, 3), st.integers(0, 900), st.integers(1, 40))
def test_where_nothing_is_known_of_evenness_it_is_the_purchase_process(x, variation, silent_days, gap_days):
    features = Features(frequency=x, first_ms=0, last_ms=x * gap_days * DAY_MS, regularity=variation)

    now = seen(PLAIN, features, silent_days)

    assert now["overdue"] == pytest.approx(now["dead_tempered"], rel=1e-9, abs=1e-9)


@given(st.floats(0.5, 30), st.floats(0.01, 1_000), st.lists(st.integers(0, 1_000 * DAY_MS), min_size=2))
def test_the_share_of_longer_gaps_only_falls(exponent, rate, silences):
    rhythm = OwnRhythm(-2.0, rate, exponent, math.log(30 * DAY_MS))
    left = [rhythm.left_log_odds(silent_ms) for silent_ms in sorted(silences)]

    assert all(earlier <= later for earlier, later in pairwise(left))
    assert left[0] >= -2.0
    assert all(map(math.isfinite, left))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0, 17.0])
@pytest.mark.parametrize("rate", [0.7, 12.0])
def test_the_share_of_longer_gaps_is_that_of_scipy(exponent, rate):
    rhythm = OwnRhythm(0.0, rate, exponent, math.log(30 * DAY_MS) + math.log(rate) / exponent)
    of_rates = gamma(rate, scale=1.0 / rate)
    for gaps in (0.2, 0.9, 1.1, 1.5):
        share = math.exp(-rhythm.left_log_odds(round(gaps * 30 * DAY_MS)))
        mixed, _ = quad(lambda one, t=gaps**exponent: math.exp(-one * t) * of_rates.pdf(one), 0, np.inf)

        assert share == pytest.approx(burr12.sf(gaps, exponent, rate, scale=rate ** (1 / exponent)), rel=1e-8)
        assert share == pytest.approx(mixed, rel=1e-5)
    tenth = math.exp(-rhythm.left_log_odds(round(math.exp(rhythm.usual_log_ms))))
    assert tenth == pytest.approx(0.1, rel=1e-6)


@given(st.integers(2, 300), st.floats(0, 3), st.floats(0, 3), st.floats(1, 400))
def test_more_even_gaps_have_a_higher_shape(gaps, one, other, mean_days):
    prior = Evenness(shape=0.5, rate=0.5)

    low, high = sorted((one, other))
    assert gap_shape(prior, gaps, low, mean_days) >= gap_shape(prior, gaps, high, mean_days)


@pytest.mark.parametrize("shape", [1.0, 9.0, 100.0])
def test_the_shape_of_gaps_is_found_again(shape):
    random = np.random.default_rng(5)
    gaps = np.maximum(1, np.round(random.gamma(shape, 60 / shape, (4_000, 20))))
    mean = gaps.mean(axis=1)

    found = fit_evenness(np.full(4_000, 20.0), gaps.std(axis=1) / mean, mean)

    assert found is not None
    assert found.shape / found.rate == pytest.approx(shape, rel=0.15)
    own = [gap_shape(found, 20, cv, days) for cv, days in zip(gaps.std(axis=1) / mean, mean, strict=True)]
    assert np.median(own) == pytest.approx(shape, rel=0.15)


def test_of_too_few_customers_no_evenness_is_learnt():
    assert fit_evenness(np.full(40, 9.0), np.full(40, 0.5), np.full(40, 30.0)) is None
    assert fit_evenness(np.full(400, 1.0), np.zeros(400), np.full(400, 30.0)) is None


def test_a_model_of_before_keeps_its_bytes_and_one_with_evenness_is_read_as_it_was_written():
    assert b"evenness" not in encode_model(PLAIN)
    model = sealed(HALF_LIKE_CLOCKWORK)
    assert decode_model(encode_model(model)).evenness == model.evenness
    with pytest.raises(ModelError, match=r"evenness\.rate"):
        check_model(msgspec.structs.replace(PLAIN, evenness=Evenness(shape=1.0, rate=1e-9)))


def test_a_model_with_seasons_is_refused_where_it_brings_evenness_or_weighs_the_rhythm():
    with pytest.raises(ModelError, match="evenness: must be missing in a model with seasons"):
        check_model(seasonal(HALF_LIKE_CLOCKWORK))
    with pytest.raises(ModelError, match="overdue cannot be weighed in a model with seasons"):
        seasonal_model({"churn_tempered": 0.9, "overdue": 0.5})
    check_model(seasonal(PLAIN))


def test_a_fit_with_seasons_leaves_evenness_out():
    assert by_clock_of(SEASONS, HALF_LIKE_CLOCKWORK).evenness is None
    check_model(by_clock_of(SEASONS, HALF_LIKE_CLOCKWORK))
    assert by_clock_of(None, HALF_LIKE_CLOCKWORK).evenness == HALF_LIKE_CLOCKWORK.evenness
    assert "overdue" in LEFT_OUT_IN_SEASONS
