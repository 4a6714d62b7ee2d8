"""What is said of the way to the next tier is true: close only where it is, and which tier is reached."""

import pytest
from msgspec.structs import replace

from stream.core.alerts.alert import Counterfactual, Evidence, Remedy
from stream.core.alerts.build import _action
from stream.core.alerts.wording import ending_words, reason_lines, score_words, text_of
from stream.core.calendar import UTC_CALENDAR
from tests.support.builders import basis, bought
from tests.support.demo_alerts import alert
from tests.support.laws import lived


def near(spent: int, needed: int) -> Evidence:
    return Evidence(
        code="NEAR_NEXT_TIER", feature="recent_spend", observed=spent, baseline=needed, unit="minor",
        contribution=0.6 * min(1.0, spent / needed),
    )  # fmt: skip


GROWING = Evidence(
    code="GROWING", feature="growth_of_basket_or_frequency", observed=0.71, baseline=0.0, unit="share",
    contribution=0.2,
)  # fmt: skip


def upgrade(spent: int, needed: int, missing: int):
    data = alert("c", kind="upgrade_opportunity").data
    remedy = Remedy(code="REACH_NEXT_TIER", amount_minor=missing)
    ends = Counterfactual(clears_if=(remedy,), score_then=0.0, before="2018-01-05T00:00:00Z")
    return replace(data, evidence=(near(spent, needed), GROWING), counterfactual=ends)


def test_half_the_spend_of_the_next_tier_is_not_said_to_be_close_to_it():
    far, close = upgrade(169_305, 313_467, 144_163), upgrade(309_900, 313_467, 3_568)

    assert "$1,693.05 is 54% of the $3,134.67 of the next tier" in reason_lines(far, UTC_CALENDAR, 0)[0]
    assert "$3,099.00 is close to the $3,134.67 of the next tier" in reason_lines(close, UTC_CALENDAR, 0)[0]


def test_the_score_of_an_upgrade_is_a_readiness_and_not_a_share_of_the_way():
    words = score_words(upgrade(309_900, 313_467, 3_568))

    assert words.startswith("readiness 80 of 100, from how near the next tier is, growth and interest")
    assert "%" not in words


@pytest.mark.parametrize(
    ("missing", "reached"),
    [(3_568, "reaches the next tier, before"), (156_060, "reaches a tier above the next; the next")],
)
def test_more_spend_names_the_tier_that_it_reaches(missing, reached):
    assert reached in ending_words(upgrade(309_900, 313_467, missing), None)


def test_a_raised_alert_that_is_close_keeps_its_words():
    assert "close to the" in (text_of(upgrade(160_244, 160_997, 754), None, 0).why or "")


def test_who_is_far_from_the_next_tier_is_not_told_how_little_is_missing():
    profile, in_force = lived([bought(7 * n, 5_000, event_id=f"b{n}") for n in range(9)], basis())[0], basis()

    far = _action("upgrade_opportunity", (near(54_000, 100_000), GROWING), profile, in_force)
    only_far = _action("upgrade_opportunity", (near(54_000, 100_000),), profile, in_force)
    close = _action("upgrade_opportunity", (near(99_000, 100_000), GROWING), profile, in_force)

    assert [each and each.because for each in (far, only_far, close)] == ["GROWING", None, "NEAR_NEXT_TIER"]
