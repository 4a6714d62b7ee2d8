"""A policy at the ends of what it allows: judgements end, and reviews do not come every millisecond."""

from __future__ import annotations

import pytest

from stream.core.judgement.tier import falls_to_ms
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS
from stream.policy_file import PolicyFileError, parse_policy
from tests.support.builders import answered, at, basis, bought, complained
from tests.support.narrow import not_none

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
NO_TIER_LOST = "[ladder]\nslack = 1.0"
REVIEWS_MAX = 60
"""In three years: at the ends of episodes, tiers and stages; far fewer than one a week."""


@pytest.mark.parametrize("policy", [NEVER_CLEARED, NO_TIER_LOST], ids=["clear_at 0", "slack 1"])
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
