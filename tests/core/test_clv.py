"""Predictions for a customer against reference numbers, and laws that hold for all parameters."""

import csv
import math
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.model.record import Horizon, PurchaseProcess, Spend
from stream.core.value.clv import (
    discounted_if_alive,
    discounted_purchases,
    expected_purchases,
    expected_value,
    gap_tail,
    next_purchase_within,
    own_horizon,
    p_active,
    p_alive,
    p_alive_falls_at,
    purchase_count_tails,
    purchases_if_alive,
)

CDNOW = PurchaseProcess(kind="bgnbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
CDNOW_MBG = PurchaseProcess(kind="mbgnbd", r=0.525, alpha=6.183, a=0.891, b=1.614)
FINE = 2.0
"""At the usual fineness the two rules of quadrature are up to 1e-8 apart: good for money, not for a law."""

CASES = [
    case
    for case in csv.DictReader((Path(__file__).parent.parent / "fit" / "clv_cases.csv").open())
    if case["model"] != "pnbd"
]

processes = st.builds(
    PurchaseProcess,
    kind=st.sampled_from(["bgnbd", "mbgnbd"]),
    r=st.floats(0.05, 20),
    alpha=st.floats(0.05, 100),
    a=st.one_of(st.just(1.0), st.floats(0.01, 50)),
    b=st.floats(0.05, 50),
)
histories = st.tuples(st.integers(0, 3_000), st.floats(0, 200), st.floats(0, 300)).map(
    lambda h: (h[0], h[1] if h[0] else 0.0, (h[1] if h[0] else 0.0) + h[2])
)


def process_of(case):
    return PurchaseProcess(
        kind=case["model"],
        r=float(case["r"]),
        alpha=float(case["alpha"]),
        a=float(case["a"]),
        b=float(case["b"]),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference_cases_hold_to_twelve_digits(case):
    process, x, t_x, T = process_of(case), int(case["x"]), float(case["t_x"]), float(case["T"])
    horizon, discount = float(case["t_horizon"]), float(case["delta_cont_per_unit"])
    spend = Spend(p=float(case["gg_p"]), q=float(case["gg_q"]), v=float(case["gg_v"]))
    seen = {
        "p_alive": p_alive(process, x, t_x, T),
        "p_active_t": p_active(process, x, t_x, T, horizon),
        "exp_purchases_t": expected_purchases(process, x, t_x, T, horizon),
        "exp_value": expected_value(spend, x, float(case["mean_value"])),
        "dert_inf": discounted_purchases(process, x, t_x, T, discount),
        "det_t": discounted_purchases(process, x, t_x, T, discount, horizon),
    }

    assert seen == {name: pytest.approx(float(case[name]), rel=1e-12, abs=1e-307) for name in seen}


def test_published_alert_times():
    assert p_alive_falls_at(CDNOW, 7, 29.43, 0.5) == pytest.approx(42.487181, abs=1e-5)
    assert p_alive_falls_at(CDNOW_MBG, 0, 0.0, 0.3) == pytest.approx(90.1079, rel=1e-3)
    assert p_alive_falls_at(CDNOW, 0, 0.0, 0.5) == math.inf
    assert next_purchase_within(CDNOW, 7, 29.43, 0.5) == pytest.approx(3.398874, abs=1e-5)


@given(processes, histories, st.floats(0.01, 200), st.floats(0, 100))
def test_silence_never_raises_the_chance_of_a_purchase(process, history, horizon, silence):
    x, t_x, T = history

    now, later = p_active(process, x, t_x, T, horizon), p_active(process, x, t_x, T + silence, horizon)

    assert 0.0 <= later <= now * (1 + 1e-12) <= 1.0 + 1e-9


@given(processes, st.integers(0, 500), st.floats(0, 100), st.floats(0.01, 0.99))
def test_the_alert_time_is_where_p_alive_meets_the_threshold(process, x, t_x, threshold):
    T = p_alive_falls_at(process, x, t_x, threshold)

    if math.isfinite(T) and t_x < T:
        assert p_alive(process, x, t_x, T) == pytest.approx(threshold, rel=1e-6)
    elif math.isinf(T):
        assert p_alive(process, x, t_x, t_x + 1e6) > threshold
    else:
        assert p_alive(process, x, t_x, t_x) <= threshold * (1 + 1e-9)


@given(processes, histories, st.floats(0.01, 60))
def test_the_chances_of_each_count_add_up_to_the_expected_purchases(process, history, horizon):
    x, t_x, T = history
    expected = expected_purchases(process, x, t_x, T, horizon)
    if purchases_if_alive(process, x, T, horizon) < 30:
        tails = list(islice(purchase_count_tails(process, x, t_x, T, horizon), 4_000))

        assert tails[0] == pytest.approx(p_active(process, x, t_x, T, horizon), rel=1e-6, abs=1e-12)
        assert sum(tails) == pytest.approx(expected, rel=1e-3, abs=1e-9)


@settings(max_examples=40)
@given(processes, histories, st.floats(0.1, 200), st.floats(1e-5, 0.05))
def test_discounting_only_lowers_and_a_longer_horizon_only_raises(process, history, horizon, discount):
    x, _, T = history
    plain = purchases_if_alive(process, x, T, horizon, FINE)
    finite = discounted_if_alive(process, x, T, discount, horizon, FINE)
    forever = discounted_if_alive(process, x, T, discount, None, FINE)

    assert plain * math.exp(-discount * horizon) <= finite * (1 + 1e-9)
    assert finite <= plain * (1 + 1e-9)
    assert finite <= forever * (1 + 1e-9)
    assert discounted_if_alive(process, x, T, discount, horizon) == pytest.approx(finite, rel=1e-6)
    assert discounted_if_alive(process, x, T, discount) == pytest.approx(forever, rel=1e-6)


def test_own_horizon_is_a_multiple_of_the_mean_gap_within_a_week_and_a_year():
    assert own_horizon(CDNOW, Horizon(factor=2), 7, 29.43) == pytest.approx(2 * (4.414 + 29.43) / 6.243)
    assert own_horizon(CDNOW, Horizon(), 500, 20.0) == 1.0
    assert own_horizon(CDNOW, Horizon(), 0, 0.0) == pytest.approx(365.2425 / 7)


def test_a_long_gap_of_a_frequent_buyer_is_rare():
    assert gap_tail(CDNOW, 7, 29.43, 0.0) == 1.0
    assert gap_tail(CDNOW, 7, 29.43, 46.766855 - 29.43) == pytest.approx(0.05, rel=1e-6)
