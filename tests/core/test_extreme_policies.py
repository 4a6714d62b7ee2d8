"""A policy at the ends of what it allows: judgements end, and reviews do not come every millisecond."""

from __future__ import annotations

from math import nextafter
from random import Random

import pytest

from stream.core.judgement.basis import Basis
from stream.core.judgement.tier import falls_to_ms
from stream.core.risk.churn import log_odds_of, logistic
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS
from stream.policy_file import PolicyFileError, parse_policy
from tests.support.builders import answered, at, basis, bought, complained, learnt_basis
from tests.support.narrow import not_none
from tests.support.policy_ends import ENDS, PROBABILITIES, judged_by, policy_at_random, policy_with

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

NEVER_CLEARED = """
[upgrade_opportunity]
closeness_min = 0.0
purchase_days_min = 1
hysteresis = { raise_at = 0.01, clear_at = 0.0, escalate_at = 0.02, expire = "36525d" }
[at_risk_loyal]
tier_min = "bronze"
hysteresis = { raise_at = 0.01, clear_at = 0.0, escalate_at = 0.02, expire = "36525d" }
[stages]
established_purchase_days = 1
loyal_purchase_days = 2
loyal_tenure = "1s"
"""
CLEARED_AT_THE_TICKET = """
[at_risk_loyal]
ticket_weight = 0.7
hysteresis = { raise_at = 0.8, clear_at = 0.7, escalate_at = 0.9 }
"""
NO_TIER_LOST = "[ladder]\nslack = 1.0"
REVIEWS_MAX = 60
"""In three years: at the ends of episodes, tiers and stages; far fewer than one a week."""


POLICIES = {
    "clear_at 0": NEVER_CLEARED,
    "slack 1": NO_TIER_LOST,
    "clear_at at the weight of a ticket": CLEARED_AT_THE_TICKET,
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_time_alone_leads_to_few_reviews(policy):
    judged_by = basis(policy)
    life = [*(bought(7 * week, 60_000) for week in range(12)), answered(80, 0), complained(81, "t", "Awful!")]
    profile = None
    for event in life:
        profile = on_event(profile, event, judged_by).profile
    profile, reviews = not_none(profile), 0
    while (due_ms := profile.next_review_ms) is not None and due_ms < at(81) + 3 * 365 * DAY_MS:
        on_review(profile, due_ms, judged_by)
        reviews += 1
        assert reviews <= REVIEWS_MAX


def test_nothing_falls_below_zero():
    assert falls_to_ms(5_000.0, 0.0, 7) is None
    assert falls_to_ms(0.0, 1.0, 7) == 7


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[finance]\nannual_discount = 0.0", "0.0 is not allowed; allowed: a number from 0.001 to 1"),
        ("[finance]\nannual_discount = nan", "nan is not allowed"),
        ("[upgrade_opportunity]\ngrowth_full = inf", "inf is not allowed"),
        ('[finance]\nhorizon = "999999999w"', "is too long; allowed: at most 36525d"),
        ('[churn_risk.hysteresis]\nexpire = "36526d"', "'36526d' is too long; allowed: at most 36525d"),
        ('[contact]\nwindow = "999999999d"', "is too long"),
    ],
)
def test_what_no_judgement_could_use_is_refused_with_its_line(text, fault):
    with pytest.raises(PolicyFileError, match="policy:2: ") as refused:
        parse_policy(text)

    assert fault in str(refused.value)


JUDGES = {"process": lambda: basis().model, "learnt": lambda: learnt_basis().model}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{'.'.join(map(str, end[0]))}={end[1]:g}")
@pytest.mark.parametrize("judge", JUDGES)
def test_a_policy_with_one_number_at_its_end_judges_and_is_read_back(judge, end):
    policy = policy_with([end])
    if policy is not None:
        judged_by(Basis(policy, JUDGES[judge]()))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("judge", JUDGES)
def test_a_policy_with_many_numbers_at_their_ends_judges_and_is_read_back(judge, seed):
    policy = policy_at_random(Random(seed))
    if policy is not None:
        judged_by(Basis(policy, JUDGES[judge]()))


def test_most_ends_are_policies_that_the_check_accepts():
    refused = [path for path, value in ENDS if policy_with([(path, value)]) is None]
    random = [policy_at_random(Random(seed)) for seed in range(40)]

    assert len(ENDS) > 100
    assert len(refused) < 20, refused
    assert sum(each is not None for each in random) >= 10


@pytest.mark.parametrize("level", [*PROBABILITIES, 1e-300, 1e-304, 0.1, 0.999])
def test_a_risk_reaches_a_level_exactly_where_its_log_odds_do(level):
    goal = log_odds_of(level)

    assert logistic(goal) == pytest.approx(level, rel=1e-9, abs=2e-300)
    assert level < 1.0 or (logistic(goal) == 1.0 and logistic(nextafter(goal, 0.0)) < 1.0)
