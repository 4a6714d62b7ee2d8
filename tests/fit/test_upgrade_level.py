"""The learnt level of upgrade opportunities: few alerts a month, and a promise that comes true."""

import msgspec
import pytest

from stream.core.judgement.basis import Basis
from stream.core.model.record import Horizon, UpgradeLevel
from stream.core.policy.policy import UPGRADES_A_MONTH_MAX, Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.risk.upgrade_alerts import UpgradeRun, learnt_upgrade_level
from stream.fit.upgrade_moments import UpgradeMoment
from stream.model_file import default_model
from stream.policy_file.load import parse_policy, with_hash
from tests.support.narrow import not_none

UNTIL = 400 * DAY_MS
HORIZON = Horizon(min_ms=8 * WEEK_MS, max_ms=8 * WEEK_MS)
MODEL = default_model()
SILVER = Basis(Policy(), MODEL).cutoffs[1]


def customers(count, share_eager, moves_up=True):
    """Customers near silver on a day of their own, some of them eager; every other one then reaches it."""
    found = {}
    for number in range(count):
        day = 220 + 170 * number / count
        eager = 0.3 if number % 100 < 100 * share_eager else 0.19
        one = [UpgradeMoment(round(day * DAY_MS), 0.95 * SILVER, eager, may_be=True)]
        if moves_up and number % 2:
            one.append(UpgradeMoment(round((day + 10) * DAY_MS), 1.2 * SILVER, eager, may_be=True))
        found[f"c{number}"] = one
    return found


def with_population(count):
    population = msgspec.structs.replace(MODEL.population, customers=count)
    return msgspec.structs.replace(MODEL, population=population, horizon=HORIZON)


def test_the_level_rises_until_few_customers_a_month_are_alerted():
    moments, model = customers(2_000, share_eager=0.1), with_population(2_000)

    level = not_none(learnt_upgrade_level(moments, (0, UNTIL), model, Policy()))

    run = UpgradeRun(moments, UNTIL, model, Policy())
    assert len(run.raised(0.75)) > UPGRADES_A_MONTH_MAX * 2_000 * 6
    assert level.raise_at > 0.75
    in_a_month = sum(one.at_ms >= UNTIL - 30 * DAY_MS for one in run.raised(level.raise_at))
    assert 0 < in_a_month <= UPGRADES_A_MONTH_MAX * 2_000
    assert "of the customers" in level.learnt


@pytest.mark.parametrize(
    ("count", "words"),
    [(3, "less than once a month"), (8, "about once a month"), (40, "about 6 times a month")],
)
def test_few_alerts_are_never_said_to_be_none_or_one_times(count, words):
    moments, model = customers(count, share_eager=1.0), with_population(2_000)

    level = not_none(learnt_upgrade_level(moments, (0, UNTIL), model, Policy()))

    assert words in level.learnt


def test_a_shop_within_the_budget_keeps_the_score_of_its_policy():
    moments, model = customers(40, share_eager=1.0), with_population(2_000)

    level = not_none(learnt_upgrade_level(moments, (0, UNTIL), model, Policy()))

    assert level.raise_at == Policy().upgrade_opportunity.hysteresis.raise_at


def test_the_promise_is_the_share_of_past_alerts_that_reached_the_next_tier():
    moments, model = customers(400, share_eager=1.0), with_population(20_000)

    level = not_none(learnt_upgrade_level(moments, (0, UNTIL), model, Policy()))

    assert level.promised == pytest.approx(0.5, abs=0.01)
    assert level.within_ms == 8 * WEEK_MS


def test_nothing_is_promised_by_a_history_in_which_everybodys_spend_still_grows_from_nothing():
    moments, model = customers(400, share_eager=1.0), with_population(20_000)

    level = not_none(learnt_upgrade_level(moments, (250 * DAY_MS, UNTIL), model, Policy()))

    assert level.promised is msgspec.UNSET
    assert "is not known" in level.learnt


def test_nothing_after_the_day_of_the_fit_is_learnt_from():
    moments, model = customers(400, share_eager=1.0), with_population(20_000)
    known = {who: [one for one in each if one.at_ms < 301 * DAY_MS] for who, each in moments.items()}

    early = learnt_upgrade_level(moments, (0, 300 * DAY_MS), model, Policy())

    assert early == learnt_upgrade_level(known, (0, 300 * DAY_MS), model, Policy())


def test_the_level_of_the_model_is_used_unless_the_policy_says_otherwise():
    model = msgspec.structs.replace(MODEL, upgrade=UpgradeLevel(raise_at=0.9, learnt="made up"))
    own = parse_policy("[upgrade_opportunity]\nmonthly_share_max = 1.0\n")

    assert Basis(Policy(), MODEL).hysteresis["upgrade_opportunity"].raise_at == 0.75
    assert Basis(Policy(), model).hysteresis["upgrade_opportunity"].raise_at == 0.9
    assert Basis(own, model).hysteresis["upgrade_opportunity"].raise_at == 0.75


def test_a_level_below_that_of_the_policy_is_not_used():
    model = msgspec.structs.replace(MODEL, upgrade=UpgradeLevel(raise_at=0.5, learnt="made up"))

    assert Basis(Policy(), model).hysteresis["upgrade_opportunity"].raise_at == 0.75


def test_the_hash_of_a_policy_changes_only_with_another_limit_of_alerts_a_month():
    assert with_hash(Policy()).hash == parse_policy("").hash
    assert with_hash(Policy()).hash != parse_policy("[upgrade_opportunity]\nmonthly_share_max = 1.0\n").hash
