"""The baselines of a backtest: the same rows in text, JSON and HTML, a verdict that names the best one."""

import copy
import re
from typing import Any

import pytest

from stream.analysis.backtest.backtest import BacktestOptions
from stream.analysis.backtest.page import backtest_page
from stream.analysis.backtest.summary import SCORES, backtest_text, verdict_sentence
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from tests.support.shop import day_ms, purchases
from tests.support.studies import backtest_of

EVENTS = purchases(customers=150)


@pytest.fixture(scope="module")
def result():
    options = BacktestOptions(
        first_purchase_ms=EVENTS[0].time_ms // DAY_MS * DAY_MS,
        split_ms=day_ms(36),
        horizon_ms=12 * WEEK_MS,
        policy=Policy(),
    )
    return backtest_of(EVENTS, options)


@pytest.fixture(scope="module")
def numbers(result) -> dict[str, Any]:
    return {**result.numbers, "seconds": 1.0, "data_notes": []}


def test_the_rules_are_recency_frequency_money_rfm_p_active_and_the_constant(numbers):
    rows = numbers["baselines"]
    assert list(rows) == ["recency", "frequency", "monetary", "rfm", "p_active", "constant"]
    assert list(numbers["repeat_buyers"]["baselines"]) == list(rows)
    rate = numbers["churn_rate"]
    assert rows["constant"] == {"auc": 0.5, "brier_binned": pytest.approx(rate * (1 - rate))}
    assert rows["p_active"] == {name: numbers["p_active"][name] for name in ("auc", "brier")}
    assert rows["monetary"]["auc"] > 0.5


def test_text_and_page_show_the_same_rows_as_the_json(result, numbers):
    text, page = backtest_text(numbers), backtest_page(numbers, result)
    for name, one in numbers["baselines"].items():
        auc, brier = f"{one['auc']:.4f}", f"{one.get('brier', one.get('brier_binned')):.4f}"
        words = re.escape(SCORES[name])
        assert re.search(rf"^{words}(?: \*)? +{auc} +{brier}$", text, re.MULTILINE)
        assert re.search(rf"<td[^>]*>{words}(?: \*)?</td><td[^>]*>{auc}</td><td[^>]*>{brier}</td>", page)
    assert verdict_sentence(numbers) in " ".join(text.split())
    assert verdict_sentence(numbers) in page


@pytest.mark.parametrize("best", ["recency", "monetary", "p_active"])
@pytest.mark.parametrize(
    ("interval", "words"),
    [([0.001, 0.02], "ranks better than"), ([-0.02, -0.001], "ranks worse than"), ([-0.01, 0.01], "chance")],
)
def test_the_verdict_names_the_best_baseline_and_what_may_be_chance(numbers, best, interval, words):
    other = copy.deepcopy(numbers)
    other["baselines"][best]["auc"] = 0.99
    other["intervals_90"]["auc_gain"] = interval
    verdict = verdict_sentence(other)
    assert f"the best baseline, {SCORES[best]} (" in verdict
    assert words in verdict


def test_where_everybody_was_lost_no_ranking_is_judged(numbers):
    other = copy.deepcopy(numbers)
    other["risk"]["auc"] = None
    other["baselines"] = {name: {**one, "auc": None} for name, one in other["baselines"].items()}
    other["intervals_90"]["auc_gain"] = None
    assert "cannot be judged" in verdict_sentence(other)


def test_a_distance_of_two_shares_is_called_points(result, numbers):
    page = backtest_page(numbers, result)
    assert f"<b>{100 * numbers['risk']['ece']:.1f} points</b>" in page
    assert not re.search(r"off by (<b>)?[0-9.]+%", page)
