"""How much the pace of customers wanders is learnt; ranges of value are as wide as that makes them."""

from functools import lru_cache

import numpy as np
import pytest
from msgspec.structs import replace

from stream.core.model.document import ModelError, sealed
from stream.core.model.features import Features
from stream.core.model.pace import Wander
from stream.core.model.record import PurchaseProcess
from stream.core.risk.outlook import outlook
from stream.core.units import DAY_MS, WEEK_MS, YEAR_MS
from stream.core.value.interval import count_tails, value_interval
from stream.core.value.lifetime import valuation
from stream.fit.history import History, Snapshot
from stream.fit.value.wander import _counted, learnt_wander
from stream.model_file import default_model

HALF_MS = 26 * WEEK_MS
CUSTOMERS = 1_200
MODEL = replace(
    default_model(), process=PurchaseProcess(kind="mbgnbd", r=6.0, alpha=6.0, a=0.02, b=20.0), tables=()
)
"""A purchase a week in the mean; hardly anybody leaves."""


@lru_cache(maxsize=4)
def shop(variance):
    """Three half years of customers whose pace is, from one to the next, another one by this variance."""
    chance = np.random.default_rng(4)
    rates = chance.gamma(MODEL.process.r, 1 / MODEL.process.alpha, CUSTOMERS)
    names = tuple(f"c{place:04d}" for place in range(CUSTOMERS))
    orders = {name: {"first": 0} for name in names}
    days = []
    for half in range(3):
        for place, name in enumerate(names):
            begin = half * 182
            bought = begin + 1 + np.flatnonzero(chance.random(182) < rates[place] / 7)
            orders[name] |= {f"{day}": int(day) * DAY_MS for day in bought}
        days.append((half + 1) * 182 * DAY_MS)
        if variance:
            rates = rates * chance.gamma(1 / variance, variance, CUSTOMERS)
    snapshots = {day: snapshot(names, orders, day) for day in days}
    lessons = {day: (MODEL, [HALF_MS]) for day in days[:2]}
    return History(snapshots=snapshots, orders=orders), lessons


def snapshot(names, orders, day_ms):
    features = []
    for name in names:
        known = sorted(at_ms for at_ms in orders[name].values() if at_ms <= day_ms)
        features.append(
            Features(frequency=len(known) - 1, first_ms=0, last_ms=known[-1], monetary_minor=2_000.0)
        )
    return Snapshot(day_ms, names, tuple(features), np.ones(len(names)))


def test_a_pace_that_changes_is_seen():
    learnt = learnt_wander(*shop(0.15))

    assert learnt is not None
    assert 0.08 <= learnt.per_year <= 0.3  # 0.15 from one half year to the next
    assert "pace changes" in learnt.learnt


def test_where_everybody_keeps_their_pace_nothing_is_learnt():
    assert learnt_wander(*shop(0.0)) is None


def test_without_lessons_nothing_is_learnt():
    assert learnt_wander(shop(0.15)[0], {}) is None


def ranges(wander):
    """The share of customers whose purchase days lie from P10 to P90 of their number."""
    history, lessons = shop(0.15)
    day_ms = min(lessons)
    model = replace(MODEL, wander=wander)
    rules = valuation(model, HALF_MS, 0.0)
    inside = 0
    for name, one in zip(
        history.snapshots[day_ms].customers, history.snapshots[day_ms].features, strict=True
    ):
        seen = outlook(model, rules, one, day_ms)
        tails = np.array([1.0, *count_tails(rules, seen.x, seen.t_x, seen.T, None)])
        got = sum(day_ms < at_ms <= day_ms + HALF_MS for at_ms in history.orders[name].values())
        middle = 1.0 - 0.5 * (tails[min(got, len(tails) - 1)] + tails[min(got + 1, len(tails) - 1)])
        inside += 0.1 <= middle <= 0.9
    return inside / CUSTOMERS


def test_with_it_ranges_hold_what_they_promise():
    assert ranges(None) < 0.7
    assert ranges(Wander(per_year=0.15, learnt="")) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("chance", [None, 0.9])
def test_a_range_is_wider_with_it_and_has_the_same_mean(chance):
    steady = valuation(MODEL, YEAR_MS, 0.1)
    wandering = valuation(replace(MODEL, wander=Wander(per_year=0.3, learnt="")), YEAR_MS, 0.1)
    quantiles = tuple((step + 0.5) / 400 for step in range(400))

    spreads = [
        value_interval(rules, 40, 40.0, 42.0, 2_000.0, chance, quantiles) for rules in (steady, wandering)
    ]

    assert spreads[1][40] < spreads[0][40] < spreads[0][-40] < spreads[1][-40]
    assert np.mean(spreads[1]) == pytest.approx(np.mean(spreads[0]), rel=0.03)


def test_past_looks_are_counted_as_the_ranges_are():
    history, lessons = shop(0.15)
    now = history.snapshots[min(lessons)].only(np.arange(CUSTOMERS) < 40)
    chance = np.array([0.01 + 0.024 * place for place in range(40)])
    bought = np.array([float(place % 30) for place in range(40)])
    model = replace(MODEL, wander=Wander(per_year=0.3, learnt=""))
    rules = valuation(model, HALF_MS, 0.0)

    found = _counted(model, now, HALF_MS, chance, bought).reached(0.3)

    for place, one in enumerate(now.features):
        seen = outlook(model, rules, one, now.as_of_ms)
        tails = [1.0, *count_tails(rules, seen.x, seen.t_x, seen.T, float(chance[place]))]
        got = int(bought[place])
        assert [each[place] for each in found] == pytest.approx(tails[got : got + 2], rel=1e-6, abs=1e-9)


def test_a_model_whose_customers_wander_absurdly_is_refused():
    with pytest.raises(ModelError, match=r"wander\.per_year"):
        sealed(replace(MODEL, wander=Wander(per_year=50.0, learnt="")))
