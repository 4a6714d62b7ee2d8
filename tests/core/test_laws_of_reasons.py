"""Law 7: an alert explains itself completely, and the remedies that it names do clear it."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS
from tests.support.builders import START_MS, basis, bought, learnt_basis, resolved, reviewed
from tests.support.laws import ENCODE, lived
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives, mixtures

BASES = st.deferred(lambda: st.sampled_from([basis(), learnt_basis()]))
LIVES = st.one_of(loyal_lives(), mixtures().map(in_time_order))


def openings(life: list[Event], in_force: Basis) -> list[tuple[Alert, Profile]]:
    """Every raised or escalated alert of a life and the silence after it, with the profile of then."""
    found: list[tuple[Alert, Profile]] = []
    profile: Profile | None = None
    for event in life:
        while (
            profile is not None
            and profile.next_review_ms is not None
            and profile.next_review_ms < event.time_ms
        ):
            step = on_review(profile, profile.next_review_ms, in_force)
            found += [(alert, deepcopy(profile)) for alert in step.alerts]
        step = on_event(profile, event, in_force)
        profile = not_none(step.profile)
        found += [(alert, deepcopy(profile)) for alert in step.alerts]
    profile = not_none(profile)
    for _ in range(20):
        if profile.next_review_ms is not None:
            step = on_review(profile, profile.next_review_ms, in_force)
            found += [(alert, deepcopy(profile)) for alert in step.alerts]
    return [(alert, then) for alert, then in found if alert.data.state in ("raised", "escalated")]


@given(LIVES, BASES)
def test_the_reasons_add_up_to_the_score(life, in_force):
    found = openings(life, in_force)
    assume(found)
    for alert, _ in found:
        score = alert.data.score
        total = score.base + math.fsum(reason.contribution for reason in alert.data.evidence)
        value = 1 / (1 + math.exp(-total)) if score.scale == "log_odds" else total

        assert value == pytest.approx(score.value, abs=1e-9)


@given(LIVES, BASES)
def test_reasons_come_strongest_first_and_each_says_what_it_saw(life, in_force):
    for alert, _ in openings(life, in_force):
        strengths = [reason.contribution for reason in alert.data.evidence]

        assert strengths == sorted(strengths, reverse=True)
        assert alert.data.evidence
        assert all(
            reason.unit and reason.feature and math.isfinite(reason.observed)
            for reason in alert.data.evidence
        )


@given(LIVES, BASES)
def test_every_event_named_as_evidence_is_one_of_the_customers(life, in_force):
    ids = {event.id for event in life}
    for alert, _ in openings(life, in_force):
        assert {named for reason in alert.data.evidence for named in reason.events} <= ids
        assert alert.causationid is None or alert.causationid in ids


@given(loyal_lives(), BASES)
def test_doing_what_would_clear_an_alert_clears_it(life, in_force):
    found = openings(life, in_force)
    assume(found)
    for alert, profile in found:
        counterfactual = alert.data.counterfactual
        assert counterfactual is not None
        states = [each.type for each in remedied(profile, alert, in_force)]

        assert f"{alert.data.kind}.cleared" in states or f"{alert.data.kind}.retracted" in states, (
            counterfactual,
            states,
        )


def remedied(profile: Profile, alert: Alert, in_force: Basis) -> list[Alert]:
    """The alerts after every remedy of the alert was applied, from the next day on."""
    profile = deepcopy(profile)
    now_ms = max(profile.judgement.judged_ms, profile.touch_at_ms)
    alerts: list[Alert] = []
    done: list[Event] = []
    day = (now_ms - START_MS) / DAY_MS
    usual = round(profile.buying.sums.gross_minor / max(1, profile.buying.sums.orders))
    for remedy in not_none(alert.data.counterfactual).clears_if:
        if remedy.code == "ORDER":
            done += [bought(day + number, usual, event_id=f"cure{number}") for number in range(remedy.count)]
        elif remedy.code == "POSITIVE_FEEDBACK":
            done += [reviewed(day, 5, event_id=f"kind{number}") for number in range(remedy.count)]
        elif remedy.code == "RESOLVE_TICKET":
            done += [resolved(day, ticket, event_id=f"fix{ticket}") for ticket in profile.feedback.opened]
        else:
            done.append(bought(day, not_none(remedy.amount_minor), event_id="more"))
    for event in in_time_order(done):
        step = on_event(profile, event, in_force)
        profile = not_none(step.profile)
        alerts += step.alerts
    return alerts


@given(LIVES, BASES)
def test_an_alert_holds_no_word_that_the_customer_wrote(life, in_force):
    words = ("quality!", "staff", "expensive", "rude")
    for alert, _ in openings(life, in_force):
        body = ENCODE(alert.data.evidence).decode()

        assert not any(word in body for word in words)


def test_the_same_life_under_another_policy_has_other_ids_and_another_hash():
    life: list[Event] = [bought(number * 7.0, 20_000, event_id=f"b{number}") for number in range(20)]
    life += [reviewed(134, 1, event_id="v1"), reviewed(134.5, 1, event_id="v2")]
    usual = lived(life, basis())[1][-1]
    other = lived(life, basis('id = "other"'))[1][-1]

    assert usual.type == other.type == "at_risk_loyal.raised"
    assert usual.id != other.id
    assert usual.data.policy.hash != other.data.policy.hash
