"""Past alerts: what a level would have raised, and what became of it, as the worker's own step has it."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from stream.analysis.backtest.policy_run import PolicyRun
from stream.core.judgement.basis import Basis
from stream.core.model.record import Horizon, Thresholds
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.risk.past_alerts import alerts_at
from stream.fit.risk.silences import PastDay, past_silences, silent_from_ms
from stream.model_file import default_model
from tests.support.narrow import not_none
from tests.support.shop import day_ms, purchases

HORIZON = Horizon(min_ms=8 * WEEK_MS, max_ms=8 * WEEK_MS)
FIRST, START, UNTIL = day_ms(0), day_ms(30), day_ms(38)


@pytest.fixture(scope="module")
def known():
    events = purchases(customers=900, seed=5, weeks=50.0, rate_scale=3.0, leave=(0.4, 6.0))
    days = (*snapshot_days(FIRST, START, HORIZON), UNTIL)
    before = [event for event in events if event.time_ms < START + DAY_MS]
    after = [event for event in events if event.time_ms >= START + DAY_MS]
    history = read_history(before, days[:-1], Policy())
    model = fit_model(replace(history, profiles={}), START, FitOptions("t", "t", HORIZON), default_model())
    return after, history, model, read_history(events, days, Policy())


def test_the_past_alerts_of_a_level_are_those_that_the_worker_would_have_raised(known):
    after, history, model, whole = known
    level = 0.5
    judge = msgspec.structs.replace(
        model, thresholds=Thresholds(raise_at=level, clear_at=level / 2, learnt=""), upgrade=None
    )
    run = PolicyRun(dict(history.profiles), Basis(Policy(), judge), START + DAY_MS - 1)
    for event in after:
        run.feed(event)
    every = run.finished(UNTIL + DAY_MS - 1, UNTIL + DAY_MS - 1).raised
    looks = [PastDay(model, whole.snapshots[START]), PastDay(model, whole.snapshots[UNTIL])]
    silences = past_silences(whole, looks, UNTIL + DAY_MS - 1, Policy())
    odds = float(np.log(level / (1 - level)))

    def past(kind):
        until_ms, expire_ms = UNTIL + DAY_MS - 1, Policy().at_risk_loyal.hysteresis.expire_ms
        starts_ms = [looks[0].known_ms]
        return alerts_at(silences, kind, odds, starts_ms, until_ms, expire_ms=expire_ms, seen=True)

    for kind in ("churn_risk", "at_risk_loyal"):
        real = [one for one in every if one.kind == kind]
        at_once = [one for one in real if one.at_ms < START + DAY_MS]
        alerts = past(kind)
        assert len(at_once) > 10
        assert alerts.at_start.sum() == pytest.approx(len(at_once), abs=2)
        assert (~alerts.at_start).sum() == pytest.approx(len(real) - len(at_once), rel=0.15, abs=2)


def test_a_wished_precision_holds_also_for_those_who_reach_the_level_later(known):
    _, history, _, _ = known
    options = FitOptions("t", "t", HORIZON, precision=0.6)

    model = fit_model(replace(history, profiles={}), START, options, default_model())

    levels = not_none(model.thresholds)
    assert isinstance(levels.promised, float)
    assert isinstance(levels.promised_later, float)
    assert min(levels.promised, levels.promised_later) >= 0.6
    assert levels.raise_at > 0.3


def test_a_silence_is_long_enough_after_the_customers_own_gap_and_a_day():
    mean_days = 50 / 3  # longer than the median, 10
    assert silent_from_ms([0, 10, 20, 50], 50.0 * DAY_MS, 1.0, 7 * DAY_MS) == pytest.approx(
        (50 + mean_days + 1) * DAY_MS, abs=1
    )
    assert silent_from_ms([0, 2, 4], 4.0 * DAY_MS, 1.0, 7 * DAY_MS) == 11 * DAY_MS
    assert silent_from_ms([0, 2, 4], 4.0 * DAY_MS, 0.0, 7 * DAY_MS) == 11 * DAY_MS
