"""What models promise of their alerts, beside what came of them in a backtest."""

import msgspec
import pytest

from stream.analysis.backtest.alert_truth import RaisedAlert, RunResult, Truth, alert_scores
from stream.analysis.backtest.backtest import BacktestOptions
from stream.analysis.backtest.promised import promised_share
from stream.analysis.backtest.summary import promise_sentences
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from tests.support.shop import day_ms, purchases
from tests.support.studies import backtest_of

EVENTS = purchases(customers=300)
SPLIT_MS, HORIZON_MS = day_ms(36), 12 * WEEK_MS


@pytest.fixture(scope="module")
def result():
    first_ms = EVENTS[0].time_ms // DAY_MS * DAY_MS
    return backtest_of(EVENTS, BacktestOptions(first_ms, SPLIT_MS, HORIZON_MS, Policy()))


def test_what_was_promised_stands_beside_what_was_got(result):
    churn = result.numbers["alerts"]["churn_risk"]
    levels = result.model.thresholds

    low, high = levels.promised_95
    assert low <= levels.promised <= high
    first, later = levels.promised_at_start, levels.promised_later
    assert min(first, later) <= churn["promised"] <= max(first, later)
    words = promise_sentences(result.numbers["alerts"])
    assert f"promised {churn['promised']:.0%}, got {churn['precision']:.0%}" in words[0]


def test_a_promise_of_the_first_moment_counts_for_the_alerts_raised_then(result):
    stated = msgspec.structs.replace(
        result.model.thresholds, promised=0.6, promised_at_start=0.8, promised_later=0.4, promised_loyal=0.5
    )
    model = msgspec.structs.replace(result.model, thresholds=stated)

    assert promised_share("churn_risk", model, 3, 4) == pytest.approx(0.7)
    assert promised_share("churn_risk", model, 0, 4) == pytest.approx(0.4)
    assert promised_share("at_risk_loyal", model, 0, 4) == 0.5
    silent = msgspec.structs.replace(model, thresholds=None, upgrade=None)
    assert promised_share("churn_risk", silent, 1, 1) is None
    assert promised_share("upgrade_opportunity", silent, 1, 1) is None


def test_upgrades_stand_beside_like_customers_who_were_not_alerted():
    run = RunResult(
        raised=(RaisedAlert("upgrade_opportunity", "a", SPLIT_MS + DAY_MS - 1),),
        eligible={
            "upgrade_opportunity": frozenset("abcd"),
            "churn_risk": frozenset(),
            "at_risk_loyal": frozenset(),
        },
        moved_up_ms={
            "a": (SPLIT_MS + 9 * DAY_MS,),
            "b": (SPLIT_MS + 9 * DAY_MS,),
            "c": (SPLIT_MS + 900 * DAY_MS,),
        },
    )
    history = read_history(EVENTS, [SPLIT_MS], Policy())
    truth = Truth(history, history.snapshots[SPLIT_MS], HORIZON_MS)

    row = alert_scores(run, truth)["upgrade_opportunity"]

    assert row["like_customers"] == 3
    assert row["like_customers_moved_up"] == pytest.approx(1 / 3)
