"""Backtests on the public logs: the learnt risk beats every plain baseline."""

import pytest

from stream.analysis.backtest.backtest import BacktestOptions
from stream.commands.parameters import DAY
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.importing.datasets.cdnow import cdnow_events
from stream.importing.datasets.completejourney import completejourney_events
from stream.importing.datasets.unavailable import SourceUnavailableError
from tests.support.studies import backtest_of

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]


def numbers_of(events, split, weeks, first, first_by=None):
    options = BacktestOptions(
        first_purchase_ms=DAY.convert(first, None, None),
        split_ms=DAY.convert(split, None, None),
        horizon_ms=weeks * WEEK_MS,
        policy=Policy(),
        first_by_ms=first_by and DAY.convert(first_by, None, None) + DAY_MS - 1,
    )
    try:
        return backtest_of(events(), options).numbers
    except SourceUnavailableError as error:
        pytest.skip(str(error))


def beats_the_baselines(numbers):
    return numbers["risk"]["auc"] > max(one["auc"] for one in numbers["baselines"].values())


def errors_of_simple_rules(numbers):
    return [one["brier_binned"] for one in numbers["baselines"].values() if "brier_binned" in one]


WORSE_MAX = 0.001
"""How much worse than the published figures a later method may be."""


@pytest.mark.parametrize(
    ("sample", "customers", "auc", "brier"), [(True, 2_357, 0.7849, 0.1549), (False, 23_570, 0.7728, 0.1580)]
)
def test_cdnow(sample, customers, auc, brier):
    numbers = numbers_of(lambda: cdnow_events(sample=sample), "1997-09-30", 39, "1997-01-01")

    assert numbers["n"] == customers
    assert numbers["p_active"]["auc"] == pytest.approx(0.757, abs=0.004)
    assert numbers["risk"]["auc"] > auc - WORSE_MAX
    assert numbers["risk"]["brier"] < brier + WORSE_MAX
    assert beats_the_baselines(numbers)
    assert numbers["risk"]["brier"] < min(errors_of_simple_rules(numbers))
    assert numbers["risk"]["brier"] < numbers["p_active"]["brier"]


@pytest.mark.parametrize(
    ("weeks", "churn", "auc", "brier"), [(8, 0.0737, 0.9058, 0.0523), (26, 0.0167, 0.8992, 0.01535)]
)
def test_complete_journey(weeks, churn, auc, brier):
    numbers = numbers_of(completejourney_events, "2017-07-02", weeks, "2017-01-01", "2017-04-01")

    assert numbers["n"] == 2_281
    assert numbers["churn_rate"] == pytest.approx(churn, abs=5e-5)
    assert numbers["risk"]["auc"] > auc - WORSE_MAX
    assert numbers["risk"]["brier"] < brier + WORSE_MAX
    assert beats_the_baselines(numbers)
    assert numbers["risk"]["brier"] < numbers["p_active"]["brier"]
    assert numbers["risk"]["brier"] < min(errors_of_simple_rules(numbers))
