"""What models promise of their alerts, beside what came of them in a backtest."""

from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.analysis.backtest.alert_truth import alert_scores
from stream.analysis.backtest.backtest import BacktestOptions
from stream.analysis.backtest.judged import Truth
from stream.analysis.backtest.policy_run import PolicyRun, RaisedAlert, RunResult
from stream.analysis.backtest.promised import promised_share
from stream.analysis.backtest.running_total import RunningTotal
from stream.analysis.backtest.summary import more_sentences, promise_sentences
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from stream.fit.upgrade_moments import UpgradeMoment
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


AFTER_MS = SPLIT_MS + DAY_MS - 1
"""The last millisecond of the split's day."""


def _upgrade_row(paid, moved, moments=None):
    """The row of one alert, about `a` at the split, beside `b`, `c` and `d`, of whom none was raised."""
    run = RunResult(
        raised=(RaisedAlert("upgrade_opportunity", "a", AFTER_MS),),
        eligible={
            "upgrade_opportunity": frozenset("abcd"),
            "churn_risk": frozenset(),
            "at_risk_loyal": frozenset(),
        },
        moved_up_ms=moved,
        paid=paid,
    )
    history = read_history(EVENTS, [SPLIT_MS], Policy())
    history.moments = moments or {}
    truth = Truth(history, history.snapshots[SPLIT_MS], HORIZON_MS)
    return alert_scores(run, truth)["upgrade_opportunity"]


def test_upgrades_stand_beside_like_customers_who_were_not_alerted():
    moved = {day: (SPLIT_MS + days * DAY_MS,) for day, days in (("a", 9), ("b", 9), ("c", 900))}

    row = _upgrade_row({}, moved)

    assert row["like_customers"] == 3
    assert row["like_customers_moved_up"] == pytest.approx(1 / 3)


def test_who_spends_more_than_before_is_told_from_who_spends_as_much():
    def total(*later):
        """100 was paid a week before the split; then these amounts, a week apart."""
        sums = list(accumulate(later, initial=100))
        return RunningTotal(
            tuple(AFTER_MS + (place + 1) * WEEK_MS for place in range(len(later))),
            tuple(sums[:-1]),
            sums[-1],
        )

    moments = {who: [UpgradeMoment(AFTER_MS - WEEK_MS, 100.0, 0.0, True, 0)] for who in "abcd"}
    late = RunningTotal((AFTER_MS + HORIZON_MS + 1,), (100,), 900)
    paid = {"a": total(60, 50), "b": total(60, 40), "c": total(101), "d": late}

    row = _upgrade_row(paid, {}, moments)

    assert row["precision"] == 0.0
    assert row["moved_up_or_spent_more"] == 1.0
    assert row["like_customers_moved_up_or_spent_more"] == pytest.approx(1 / 3)
    low, high = row["more_than_like_customers_95"]
    assert low < 2 / 3 < high
    words = " ".join(more_sentences(row, 12))
    assert "100% reached the next tier or spent more in the 12 weeks after the alert" in words
    assert "Of 3 customers whom the rule allowed" in words
    assert "0% reached the next tier, 33% did that or spent more" in words


def test_who_moved_up_counts_though_they_spent_no_more():
    row = _upgrade_row({}, {"a": (AFTER_MS + 9 * DAY_MS,)})

    assert (row["precision"], row["moved_up_or_spent_more"]) == (1.0, 1.0)


def test_nothing_is_said_of_upgrades_where_none_was_judged():
    assert more_sentences({"moved_up_or_spent_more": None}, 12) == []
    assert more_sentences({}, 12) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 900), st.integers(0, 900)), max_size=12))
def test_a_running_total_is_the_sum_of_what_was_paid_less_what_went_back_by_the_next_purchase(orders):
    """Oracle: each purchase by itself, with what went back of all before it."""
    orders.sort()
    totals = list(accumulate((paid - min(paid, back) for _, paid, back in orders), initial=0))
    total = RunningTotal(tuple(day for day, *_ in orders), tuple(totals[:-1]), totals[-1])

    for after, until in ((0, 10), (-1, 60), (7, 30)):
        expected = sum(paid - min(paid, back) for day, paid, back in orders if after < day <= until)
        assert total.within(after, until) == expected


def test_a_run_notes_what_was_paid_by_those_whom_an_upgrade_is_about(result):
    """What a backtest says of spending, counted from the events themselves."""
    upgrades = result.numbers["alerts"]["upgrade_opportunity"]
    run = _run(result.model)

    assert run.paid.keys() == run.eligible["upgrade_opportunity"] | {
        one.customer for one in run.raised if one.kind == "upgrade_opportunity"
    }
    for customer, total in run.paid.items():
        mine = [event for event in EVENTS if event.subject == customer]
        assert total.now_minor == sum(event.data.total_minor for event in mine)
        later = [event for event in mine if AFTER_MS < event.time_ms <= AFTER_MS + HORIZON_MS]
        paid_minor = sum(event.data.total_minor for event in later)
        assert total.within(AFTER_MS, AFTER_MS + HORIZON_MS) == paid_minor
    assert upgrades["like_customers"] <= len(run.eligible["upgrade_opportunity"])


def _run(model):
    profiles = read_history([one for one in EVENTS if one.time_ms <= AFTER_MS], [SPLIT_MS], Policy()).profiles
    run = PolicyRun(profiles, Basis(Policy(), model), AFTER_MS)
    for event in EVENTS:
        if event.time_ms > AFTER_MS:
            run.feed(event)
    return run.finished(EVENTS[-1].time_ms, AFTER_MS + HORIZON_MS)
