"""What becomes of an alert when it is read: filter, holdout, supersede, expiry."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deliver.plan.admission import Admission, EarlierDelivery, Filter, admit
from stream.deliver.plan.head import read_head
from stream.deliver.plan.outcome import OUTCOMES
from tests.support.alert_bodies import NOW_MS, alert_body

ALL = Filter()
STATES = ("raised", "escalated", "cleared", "expired", "retracted")
UNTRIED = EarlierDelivery(0)
TRIED = EarlierDelivery(2)
ACCEPTED = EarlierDelivery(1, "accepted")


def decide(body=None, wanted=ALL, earlier=(), now_ms=NOW_MS, **more) -> Admission:
    return admit(read_head(body or alert_body()), wanted, earlier, now_ms, **more)


def test_an_alert_is_queued():
    assert decide() == Admission()


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(kinds=("churn_risk",)), False),
        (Filter(kinds=("churn_risk", "at_risk_loyal")), True),
        (Filter(tiers=("gold",)), False),
        (Filter(tiers=("gold", "platinum")), True),
        (Filter(states=("cleared",)), False),
        (Filter(states=("raised",)), True),
        (Filter(at_stake_min_minor=50_001), False),
        (Filter(at_stake_min_minor=50_000), True),
        (Filter(arms=("treated",)), False),
    ],
)
def test_a_filter_leaves_out_what_it_does_not_name(wanted, passes):
    assert decide(wanted=wanted) == (Admission() if passes else Admission("suppressed", "filter"))


@pytest.mark.parametrize("state", ["cleared", "expired", "retracted"])
def test_the_end_of_an_episode_that_was_never_attempted_goes_with_it(state):
    assert decide(alert_body(state=state), earlier=[UNTRIED]) == Admission("superseded", supersedes=True)


@pytest.mark.parametrize("earlier", [[TRIED], [ACCEPTED], [UNTRIED, TRIED], [EarlierDelivery(10, "parked")]])
def test_the_end_of_an_episode_that_may_have_arrived_is_sent_whatever_the_filter_says_of_its_tier(earlier):
    end = alert_body(state="cleared", tier="bronze", at_stake_minor=1)
    wanted = Filter(tiers=("platinum",), at_stake_min_minor=50_000)

    assert decide(end, wanted=wanted, earlier=earlier) == Admission()


def test_an_end_is_left_out_where_its_state_is_not_wanted():
    assert decide(alert_body(state="cleared"), Filter(states=("raised",)), [ACCEPTED]).reason == "filter"


def test_an_end_of_which_nothing_is_known_is_judged_by_the_filter():
    assert decide(alert_body(state="cleared")) == Admission()
    assert decide(alert_body(state="cleared"), Filter(tiers=("gold",))).reason == "filter"


def test_nothing_is_sent_once_it_has_expired():
    body = alert_body(expires_ms=NOW_MS)

    assert decide(body) == Admission("expired")
    assert decide(body, now_ms=NOW_MS - 1) == Admission()


def test_an_alert_of_history_is_left_out_but_the_end_of_a_live_episode_is_not():
    assert decide(history=True) == Admission("suppressed", "history")
    assert decide(alert_body(state="cleared"), earlier=[ACCEPTED], history=True) == Admission()


def test_an_endpoint_that_is_disabled_keeps_its_alerts():
    assert decide(disabled=True) == Admission("disabled")


HELD_OUT = EarlierDelivery(0, "suppressed", "holdout")


@given(
    st.sampled_from(STATES),
    st.lists(st.builds(EarlierDelivery, st.integers(0, 3), st.sampled_from((None, *OUTCOMES))), max_size=3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([ALL, Filter(kinds=("churn_risk",)), Filter(tiers=("gold",))]),
)
def test_a_held_out_customer_meets_the_same_gates_as_any_other(state, earlier, disabled, history, wanted):
    gates = {"disabled": disabled, "history": history}
    held_out, treated = (alert_body(state=state, arm=arm) for arm in ("held_out", "treated"))

    assert decide(held_out, wanted, earlier, **gates) == decide(treated, wanted, earlier, **gates)


def test_the_end_of_a_held_out_episode_waits_for_its_turn_as_it_would_after_an_attempt():
    end = alert_body(state="cleared", arm="held_out")

    assert decide(end, earlier=[HELD_OUT]) == Admission()
    assert decide(end, earlier=[UNTRIED]) == Admission("superseded", supersedes=True)


def test_every_alert_has_one_decision_and_only_an_end_supersedes():
    flags = (False, True)
    for state, disabled, history, late in product(STATES, flags, flags, flags):
        for earlier in ([], [UNTRIED], [TRIED]):
            now_ms = NOW_MS + (90 * 86_400_000 if late else 0)
            decision = decide(
                alert_body(state=state), ALL, earlier, now_ms, disabled=disabled, history=history
            )
            assert decision.outcome is None or decision.outcome in OUTCOMES
            assert (decision.outcome == "suppressed") == bool(decision.reason)
            assert decision.supersedes == (decision.outcome == "superseded")
            assert not decision.supersedes or state in STATES[2:]
