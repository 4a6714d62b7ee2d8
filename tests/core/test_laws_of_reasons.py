"""Law 7: an alert explains itself completely, and the remedies that it names do clear it."""

from __future__ import annotations

import math
from copy import deepcopy
from datetime import datetime

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert, Counterfactual, Remedy
from stream.core.alerts.rehearsal import usual_order_minor
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS
from stream.wording.alert import alert_lines
from tests.support.builders import (
    START_MS,
    basis,
    bought,
    history_basis,
    learnt_basis,
    resolved,
    reviewed,
    stubborn_basis,
)
from tests.support.laws import ENCODE, lived, waited
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives, mixtures

BASES = st.deferred(lambda: st.sampled_from([basis(), learnt_basis(), stubborn_basis()]))
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


@given(LIVES, BASES, st.floats(0, 1))
def test_doing_what_would_clear_an_alert_ends_it_whenever_it_is_done(life, in_force, waited):
    for alert, profile in openings(life, in_force):
        counterfactual = alert.data.counterfactual
        if counterfactual is None:
            continue  # nothing within reach: the test below holds that it is so
        before_ms = round(datetime.fromisoformat(counterfactual.before).timestamp() * 1_000)
        orders = sum(one.count for one in counterfactual.clears_if if one.code == "ORDER")
        now_ms = profile.judgement.judged_ms
        room_ms = max(0, before_ms - 1 - now_ms - max(0, orders - 1) * DAY_MS)
        is_spend = any(one.code == "REACH_NEXT_TIER" for one in counterfactual.clears_if)
        start_ms = now_ms if is_spend else now_ms + int(waited * room_ms)
        states = [each.type for each in remedied(profile, alert, in_force, start_ms)]

        assert f"{alert.data.kind}.cleared" in states or f"{alert.data.kind}.retracted" in states, (
            counterfactual,
            states,
        )


@given(LIVES, BASES)
def test_where_an_alert_names_nothing_that_clears_it_five_orders_do_not(life, in_force):
    for alert, profile in openings(life, in_force):
        if alert.data.counterfactual is not None:
            continue
        kind = alert.data.kind
        five = Counterfactual(clears_if=(Remedy(code="ORDER", count=5),), score_then=0.0, before="")
        soon = [each.type for each in remedied(profile, alert, in_force, profile.judgement.judged_ms, five)]
        late_ms = profile.judgement.judged_ms + 6 * DAY_MS
        late = [each.type for each in remedied(profile, alert, in_force, late_ms, five)]

        assert kind != "upgrade_opportunity"
        if kind == "churn_risk":
            assert not {f"{kind}.cleared"} <= {*soon} & {*late}


def remedied(
    profile: Profile,
    alert: Alert,
    in_force: Basis,
    start_ms: int,
    counterfactual: Counterfactual | None = None,
) -> list[Alert]:
    """The alerts after every remedy was applied: from an instant on, orders on a day each."""
    profile = deepcopy(profile)
    alerts: list[Alert] = []
    done: list[Event] = []
    day = (start_ms - START_MS) / DAY_MS
    usual = usual_order_minor(profile.buying)
    money_in = profile.buying.currency
    for remedy in (counterfactual or not_none(alert.data.counterfactual)).clears_if:
        if remedy.code == "ORDER":
            done += [
                bought(day + number, usual, event_id=f"cure{number}", currency=money_in)
                for number in range(remedy.count)
            ]
        elif remedy.code == "POSITIVE_FEEDBACK":
            done += [reviewed(day, 5, event_id=f"kind{number}") for number in range(remedy.count)]
        elif remedy.code == "RESOLVE_TICKET":
            done += [resolved(day, ticket, event_id=f"fix{ticket}") for ticket in profile.feedback.opened]
        else:
            more = not_none(remedy.amount_minor)
            done.append(bought(day, more, event_id="more", currency=money_in))
    for event in in_time_order(done):
        step = on_event(profile, event, in_force)
        profile = not_none(step.profile)
        alerts += step.alerts
    step = on_review(profile, start_ms, in_force)
    return [*alerts, *step.alerts]


def test_an_alert_that_no_order_ends_says_so():
    life: list[Event] = [bought(number * 10.0, 20_000, event_id=f"b{number}") for number in range(3)]
    profile, alerts = lived(life, stubborn_basis())
    _, later = waited(profile, profile.judgement.judged_ms + 300 * DAY_MS, stubborn_basis())
    raised = next(alert for alert in [*alerts, *later] if alert.type == "churn_risk.raised")

    assert raised.data.counterfactual is None
    assert "Closes with: nothing that is in reach; it ends on" in " ".join(alert_lines(raised))


def test_an_alert_of_which_the_purchase_history_is_the_one_reason_says_so_and_what_to_do():
    life: list[Event] = [bought(number * 10.0, 20_000, event_id=f"b{number}") for number in range(3)]
    profile, alerts = lived(life, history_basis())
    alerts += waited(profile, profile.judgement.judged_ms + 300 * DAY_MS, history_basis())[1]
    raised = next(alert for alert in alerts if alert.type == "churn_risk.raised")
    lines = dict(line.split(": ", 1) for line in alert_lines(raised)[1:])

    assert {reason.code for reason in raised.data.evidence if reason.contribution > 0} <= {"HISTORY"}
    assert lines["Why"].startswith(
        "has bought on 3 days so far, last on 21 January 2024; customers with such"
    )
    assert lines["To do"].startswith("Remind them of what they usually buy.")


def test_an_alert_without_a_play_in_the_policy_says_so():
    life: list[Event] = [bought(number * 10.0, 20_000, event_id=f"b{number}") for number in range(3)]
    empty = basis("[playbook]\n")
    emptied = Basis(msgspec.structs.replace(empty.policy, playbook={}), empty.model)
    profile, alerts = lived(life, emptied)
    alerts += waited(profile, profile.judgement.judged_ms + 300 * DAY_MS, emptied)[1]

    assert "To do: nothing: the playbook of the policy has no play" in " ".join(alert_lines(alerts[0]))


@given(LIVES, BASES)
def test_every_opened_alert_shows_why_and_what_to_do(life, in_force):
    for alert, _ in openings(life, in_force):
        lines = alert_lines(alert)

        assert any(line.startswith("Why: ") for line in lines), lines
        assert any(line.startswith("To do: ") for line in lines), lines
        assert any(line.startswith("Closes ") for line in lines), lines


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
