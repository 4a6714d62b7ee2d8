"""No alert before the customer's own history says something, and no reason that says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.core.model.record import RiskLayer, RiskSegment, Term, Thresholds
from stream.core.units import DAY_MS
from stream.model_file import default_model
from stream.policy_file import parse_policy
from stream.wording.alert import alert_lines
from tests.support.builders import basis, bought, complained, learnt_basis, refunded, reviewed, visited
from tests.support.laws import lived, transitions, waited
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives, mixtures

WARNINGS = ("churn_risk", "at_risk_loyal")
ALL_TIERS = '[churn_risk]\ntier_min = "bronze"\n'


@lru_cache(maxsize=8)
def wary_basis(policy: str = "") -> Basis:
    """The model of the demo in short: it fears for all who have bought on few days, whatever the silence."""
    terms = (
        Term(feature="frequency", weight=-0.5),
        Term(feature="silence", weight=0.2),
        Term(feature="engagement", weight=-0.3, centre=0.5),
        Term(feature="sentiment", weight=-0.5, centre=0.5),
        Term(feature="returns", weight=0.5, centre=0.2),
        Term(feature="tickets", weight=0.5, centre=0.2),
    )
    layer = RiskLayer(segments=(RiskSegment(frequency_min=0, intercept=1.5, terms=terms),), learnt="a test's")
    thresholds = Thresholds(raise_at=0.4, clear_at=0.25, learnt="a test's")
    fields = {name: getattr(default_model(), name) for name in default_model().__struct_fields__}
    model = type(default_model())(**{**fields, "risk": layer, "thresholds": thresholds, "version": ""})
    return Basis(parse_policy(policy), sealed(model))


BASES = st.deferred(lambda: st.sampled_from([basis(), learnt_basis(), wary_basis(), wary_basis(ALL_TIERS)]))
LIVES = st.one_of(loyal_lives(), mixtures().map(in_time_order))


def all_alerts(life: list[Event], in_force: Basis) -> list[Alert]:
    profile, alerts = lived(life, in_force)
    return [*alerts, *waited(profile, life[-1].time_ms + 400 * DAY_MS, in_force)[1]]


def raised(alerts: Iterable[Alert], *kinds: str) -> list[Alert]:
    return [alert for alert in alerts if alert.data.state == "raised" and alert.data.kind in kinds]


def ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1_000)


def every_few_days(count: int, gap: float, first: float = 0.0) -> list[Event]:
    return [bought(first + number * gap, 20_000, event_id=f"b{number}") for number in range(count)]


def test_nobody_is_likely_to_leave_who_bought_an_hour_ago():
    """The first alert of the demo was of a customer of six days who had bought less than an hour before."""
    life = every_few_days(4, gap=2.0)
    _, alerts = lived(life, wary_basis(ALL_TIERS))

    assert raised(alerts, "churn_risk") == []


@pytest.mark.parametrize(("count", "gap"), [(16, 4.0), (30, 2.0), (16, 8.0), (5, 30.0)])
def test_silence_counts_from_the_customers_own_gap_on_but_not_before_a_week(count, gap):
    life = every_few_days(count, gap)
    in_force = wary_basis(ALL_TIERS.replace("[churn_risk]", "[churn_risk]\nlearnt_thresholds = false") + LOW)
    (alert, *_) = raised(all_alerts(life, in_force), *WARNINGS)

    assert ms(alert.time) == life[-1].time_ms + round(max(gap + 1.0, 7.0) * DAY_MS)


LOW = "[churn_risk.hysteresis]\nraise_at = 0.05\nclear_at = 0.01\n"
"""Thresholds that the model's risk is always above."""


def test_a_purchase_on_the_day_on_which_it_is_due_is_not_late():
    """Dates without times of day: every purchase comes exactly one gap after the one before."""
    _, alerts = lived(every_few_days(40, gap=7.0), wary_basis(ALL_TIERS + LOW))

    assert raised(alerts, *WARNINGS) == []


def test_of_mean_and_median_gap_the_longer_counts():
    days = (0, 40, 70, 99, 100)
    life: list[Event] = [bought(day, 20_000, event_id=f"b{day}") for day in days]
    (alert, *_) = raised(all_alerts(life, wary_basis(ALL_TIERS + LOW)), "churn_risk")

    assert ms(alert.time) == life[-1].time_ms + round(30.5 * DAY_MS)


def test_a_history_of_some_days_says_nothing_however_long_the_silence():
    life = every_few_days(5, gap=1.0)
    (alert, *_) = raised(all_alerts(life, wary_basis(ALL_TIERS + LOW)), "churn_risk")

    assert ms(alert.time) == life[0].time_ms + 30 * DAY_MS


def test_the_policy_says_how_much_history_and_silence_are_needed():
    off = 'tier_min = "bronze"\nhistory_min = "0d"\nsilence_gaps_min = 0\nsilence_min = "0d"\n'
    life = every_few_days(4, gap=2.0)
    _, alerts = lived(life, wary_basis(f"[churn_risk]\n{off}"))

    assert ms(raised(alerts, "churn_risk")[0].time) == life[1].time_ms


def test_several_orders_within_a_day_are_one_purchase_day_and_give_no_gap():
    life: list[Event] = [bought(number / 100, 20_000, event_id=f"b{number}") for number in range(6)]
    policy = f"{ALL_TIERS}purchase_days_min = 1\n{LOW}"
    usual_days = default_model().prior.gap_days
    (alert, *_) = raised(all_alerts(life, wary_basis(policy)), "churn_risk")

    assert raised(all_alerts(life, wary_basis(ALL_TIERS + LOW)), "churn_risk") == []
    assert ms(alert.time) == life[-1].time_ms + round((usual_days + 1) * DAY_MS)


@given(LIVES, BASES)
def test_every_first_word_of_a_warning_rests_on_silence_and_history_or_on_unhappiness(life, in_force):
    for alert in raised(all_alerts(life, in_force), *WARNINGS):
        customer, rule = alert.data.customer, getattr(in_force.policy, alert.data.kind)
        if alert.data.kind == "at_risk_loyal":
            about = {reason.code for reason in alert.data.evidence}
            unhappy = about & {"SENTIMENT_LOW", "SENTIMENT_DROP", "DETRACTOR", "TICKET_UNRESOLVED"}
            if unhappy:
                continue
        last_ms = ms(not_none(customer.last_purchase))
        span_days = (last_ms // DAY_MS) - (ms(alert.time) // DAY_MS - customer.tenure_days) - 1
        gap_days = span_days / (customer.purchase_days - 1)
        assert ms(alert.time) - last_ms >= (rule.silence_gaps_min * gap_days - 1) * DAY_MS
        assert ms(alert.time) - last_ms >= rule.silence_min_ms
        assert customer.tenure_days >= 30


@given(LIVES, BASES)
def test_an_upgrade_is_not_offered_before_there_is_something_to_compare_growth_with(life, in_force):
    for alert in raised(all_alerts(life, in_force), "upgrade_opportunity"):
        assert alert.data.customer.tenure_days >= 30


def test_an_unhappy_customer_who_has_just_bought_is_not_also_drifting_away():
    life = every_few_days(20, gap=7.0)
    life += [complained(133.1, "t1"), reviewed(133.1, 1), reviewed(133.2, 1, event_id="v")]
    for in_force in (basis(), wary_basis()):
        _, alerts = lived(in_time_order(life), in_force)
        (alert,) = raised(alerts, "at_risk_loyal")

        assert "at_risk_loyal.escalated" not in transitions(alerts)
        assert {reason.code for reason in alert.data.evidence} <= {"SENTIMENT_LOW", "SENTIMENT_DROP"}
        assert alert.data.score.value == pytest.approx(sum(each.contribution for each in alert.data.evidence))


NOTHING = (" 0%", " less than an hour", " 0 hours", " 0 support tickets", " is neutral")


@given(LIVES, BASES)
def test_no_reason_says_nothing(life, in_force):
    for alert in all_alerts(life, in_force):
        for line in alert_lines(alert):
            if line.startswith(("Why", "But")) and "usually" not in line:
                assert not any(word in line for word in NOTHING), line


@given(LIVES, BASES)
def test_each_reason_speaks_for_its_side(life, in_force):
    """A long silence, bad opinions and returns raise a risk; a short one and good opinions lower it."""
    for alert in all_alerts(life, in_force):
        for reason in alert.data.evidence[1:]:  # the strongest is always given
            against = reason.contribution < 0
            assert (reason.code, against) not in {("SILENT_BEYOND_RHYTHM", True), ("SENTIMENT_DROP", True)}
            if reason.code == "SENTIMENT_LOW":
                assert against == (reason.observed > 0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], "FADING_ENGAGEMENT"),
        ([], "SENTIMENT_LOW"),
        ([], "RETURNS"),
        ([], "TICKET_UNRESOLVED"),
        ([visited(75, event_id="late")], "FADING_ENGAGEMENT"),
        ([reviewed(40, 4, event_id="good")], "SENTIMENT_LOW"),
    ],
    ids=["never engaged", "never heard", "nothing refunded", "no ticket", "engaged lately", "content"],
)
def test_what_was_never_observed_or_is_as_usual_is_no_reason_for_a_risk(more, code):
    life = in_time_order([*every_few_days(16, gap=4.0), *more])
    (alert, *_) = raised(all_alerts(life, wary_basis(ALL_TIERS + LOW)), "churn_risk")

    assert [each.code for each in alert.data.evidence if each.code == code and each.contribution > 0] == []


def test_what_was_observed_is_a_reason():
    life = [
        *every_few_days(16, gap=4.0),
        visited(1, event_id="early"),
        complained(61, "t", "The staff is rude"),
    ]
    life += [refunded(61, "o-b3", 20_000), refunded(61, "o-b4", 20_000), refunded(61, "o-b5", 20_000)]
    life += [refunded(61, f"o-b{number}", 20_000) for number in range(6, 10)]
    (alert, *_) = raised(all_alerts(in_time_order(life), wary_basis(ALL_TIERS + LOW)), "churn_risk")

    assert {each.code for each in alert.data.evidence if each.contribution > 0} >= {
        "SILENT_BEYOND_RHYTHM",
        "FADING_ENGAGEMENT",
        "SENTIMENT_LOW",
        "RETURNS",
        "TICKET_UNRESOLVED",
    }
