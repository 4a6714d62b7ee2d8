"""Law 6: an alert is an episode. A noisy score raises one alert; an event that removes its cause retracts
it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Episode, Profile, facts
from stream.core.judgement.episode import advance, is_open, review_ms
from stream.core.judgement.rules import Signal
from stream.core.policy.policy import Hysteresis
from stream.core.step import on_event
from stream.core.units import DAY_MS
from tests.support.builders import (
    answered,
    at,
    basis,
    bought,
    cancelled,
    complained,
    erased,
    refunded,
    resolved,
    reviewed,
)
from tests.support.laws import ENCODE, lived, transitions, waited
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives, mixtures

RULE = Hysteresis(
    raise_at=0.6,
    clear_at=0.4,
    escalate_at=0.8,
    dwell_ms=2 * DAY_MS,
    cool_down_ms=10 * DAY_MS,
    expire_ms=40 * DAY_MS,
)
CLOSING = ("cleared", "expired", "retracted")


def run(scores: list[float], rule: Hysteresis = RULE, step_ms: int = DAY_MS) -> list[tuple[int, str, float]]:
    """Day, transition and score of an episode that is looked at once a day."""
    episode = Episode()
    found: list[tuple[int, str, float]] = []
    for day, score in enumerate(scores, start=1):
        signal = Signal("churn_risk", score, eligible=True)
        state = advance(episode, signal, day * step_ms, rule, corrected=False, held_back=False)
        if state is not None:
            found.append((day, state, score))
    return found


SCORES = st.lists(st.sampled_from([0.1, 0.39, 0.4, 0.5, 0.59, 0.6, 0.7, 0.79, 0.8, 0.95]), max_size=150)


@given(SCORES)
def test_transitions_come_in_their_order_and_never_twice(scores):
    states = [transition for _, transition, _ in run(scores)]

    for before, after in pairwise(["closed", *states]):
        assert after in {
            "closed": ("raised",),
            "raised": ("escalated", *CLOSING),
            "escalated": CLOSING,
        }.get(before, ("raised",)), states


@given(SCORES)
def test_alerts_are_raised_and_cleared_only_beyond_their_thresholds(scores):
    for _, transition, score in run(scores):
        assert transition != "raised" or score >= RULE.raise_at
        assert transition != "escalated" or score >= RULE.escalate_at
        assert transition != "cleared" or score < RULE.clear_at


@given(SCORES)
def test_dwell_and_cool_down_are_kept(scores):
    found = run(scores)
    for day, transition, _ in found:
        if transition == "raised":
            dwelt = scores[day - 1 - RULE.dwell_ms // DAY_MS : day]
            assert len(dwelt) == 3
            assert min(dwelt) >= RULE.raise_at
    closed = None
    for day, transition, _ in found:
        if transition == "raised" and closed is not None:
            assert (day - closed) * DAY_MS >= RULE.cool_down_ms
        closed = day if transition in CLOSING else closed


@given(SCORES)
def test_an_open_episode_ends_when_its_time_is_over(scores):
    opened = 0
    for day, transition, _ in run(scores):
        if transition == "raised":
            opened = day
        elif transition in CLOSING:
            assert (day - opened) * DAY_MS <= RULE.expire_ms
            assert transition != "expired" or (day - opened) * DAY_MS == RULE.expire_ms


@given(st.lists(st.floats(0.4, 1.0), min_size=4, max_size=39), st.floats(0.6, 1.0))
def test_a_noisy_score_around_the_threshold_is_one_episode(noise, first):
    states = [transition for _, transition, _ in run([first, first, first, *noise])]

    assert states.count("raised") == 1
    assert not set(states) & set(CLOSING)


def test_a_score_at_a_threshold_raises_and_escalates_but_does_not_clear():
    instant = Hysteresis(raise_at=0.6, clear_at=0.4, escalate_at=0.8, dwell_ms=0, cool_down_ms=0)

    assert [word for _, word, _ in run([0.5999999, 0.6], instant)] == ["raised"]
    assert [word for _, word, _ in run([0.6, 0.4], instant)] == ["raised"]
    assert [word for _, word, _ in run([0.6, 0.3999999], instant)] == ["raised", "cleared"]
    assert [word for _, word, _ in run([0.7999999, 0.8], instant)] == ["raised", "escalated"]


def test_after_an_episode_no_other_is_raised_for_the_cool_down_and_no_longer():
    instant = Hysteresis(raise_at=0.6, clear_at=0.4, escalate_at=0.8, cool_down_ms=10 * DAY_MS)
    found = run([0.7, 0.1, *[0.7] * 20], instant)

    assert [(day, word) for day, word, _ in found] == [(1, "raised"), (2, "cleared"), (12, "raised")]


def test_after_an_expired_episode_no_other_is_raised_before_the_score_has_been_low():
    high = [0.7] * 120
    found = run(high)

    assert [word for _, word, _ in found] == ["raised", "expired"]
    assert [word for _, word, _ in run([*high, 0.1, *high])] == ["raised", "expired", "raised", "expired"]


def test_an_alert_that_was_held_back_is_raised_as_soon_as_it_may_be():
    episode, signal = Episode(), Signal("churn_risk", 0.7, eligible=True)
    instant = Hysteresis(raise_at=0.6, clear_at=0.4, escalate_at=0.8, cool_down_ms=0)

    assert advance(episode, signal, 1, instant, corrected=False, held_back=True) is None
    assert review_ms(episode, instant) is not None
    assert advance(episode, signal, 2, instant, corrected=False, held_back=False) == "raised"


LIVES = st.one_of(loyal_lives(), mixtures().map(in_time_order))


@given(LIVES)
def test_a_whole_life_of_alerts_keeps_to_the_episodes_rules(life):
    profile, alerts = lived(life, basis())
    until_ms = life[-1].time_ms + 400 * DAY_MS
    later, more = waited(profile, until_ms, basis())
    alerts += more

    for kind in {alert.data.kind for alert in alerts}:
        episodes: dict[int, list[str]] = {}
        for alert in alerts:
            if alert.data.kind == kind:
                episodes.setdefault(alert.data.episode.n, []).append(alert.data.state)
        assert list(episodes) == list(range(1, len(episodes) + 1))
        for states in episodes.values():
            assert states[0] == "raised"
            assert states[1:] in (
                [],
                ["escalated"],
                *([each] for each in CLOSING),
                *(["escalated", each] for each in CLOSING),
            )
        closed = [states for n, states in episodes.items() if n < len(episodes)]
        assert all(states[-1] in CLOSING for states in closed)
    assert len({alert.id for alert in alerts}) == len(alerts)
    assert [alert.sequence for alert in alerts] == sorted(alert.sequence for alert in alerts)
    for name, rule in basis().hysteresis.items():
        episode = later.judgement.episodes.get(name, Episode())
        assert not is_open(episode) or until_ms < episode.opened_ms + rule.expire_ms


@given(LIVES)
def test_no_kind_is_raised_while_one_of_higher_precedence_is_open(life):
    """An open alert of higher precedence holds the others back: angry customers are not asked to buy more."""
    profile, alerts = lived(life, basis())
    alerts += waited(profile, life[-1].time_ms + 400 * DAY_MS, basis())[1]
    raised_while_open = []
    opened: set[str] = set()
    for alert in alerts:
        kind, state = alert.data.kind, alert.data.state
        if state == "raised":
            raised_while_open += [(earlier, kind) for earlier in opened if earlier < kind]
            opened.add(kind)
        elif state in CLOSING:
            opened.discard(kind)

    assert raised_while_open == []


def regular(count: int = 20, gap: float = 7.0, minor: int = 20_000) -> list:
    return [bought(number * gap, minor, f"o{number}", event_id=f"b{number}") for number in range(count)]


def unhappy() -> list:
    """A loyal customer who complains, so that an alert is raised."""
    return [*regular(), reviewed(134, 1, "Terrible quality!", event_id="v"), answered(134.5, 0, event_id="n")]


def test_an_alert_about_an_angry_loyal_customer_is_raised_at_once():
    _, alerts = lived(unhappy(), basis())

    assert transitions(alerts)[-1] == "at_risk_loyal.raised"
    assert alerts[-1].causationid in ("v", "n")


def test_good_feedback_and_an_order_clear_it():
    _, alerts = lived(
        [*unhappy(), bought(135), *(reviewed(136 + n / 10, 5, "Great!") for n in range(4))], basis()
    )

    assert transitions(alerts)[-1] == "at_risk_loyal.cleared"


@pytest.mark.parametrize(
    "cause",
    [
        pytest.param(lambda day: [refunded(day, f"o{n}", 20_000) for n in range(20)], id="refunds"),
        pytest.param(lambda day: [cancelled(day, f"o{n}") for n in range(20)], id="cancellations"),
    ],
)
def test_an_alert_whose_cause_was_undone_is_retracted(cause):
    """A customer whose orders were all undone was never loyal: nothing is left to win back."""
    _, alerts = lived([*unhappy(), *cause(135.0)], basis())

    assert transitions(alerts)[-1] == "at_risk_loyal.retracted"


def test_a_late_purchase_retracts_the_alert_that_its_absence_caused():
    profile, _ = lived(regular(), basis())
    silent, raised = waited(profile, at(230), basis())
    assert any(each.endswith(".raised") for each in transitions(raised))

    alerts: list[Alert] = []
    for number in range(5):
        step = on_event(silent, bought(200 + number * 7, 20_000, event_id=f"late{number}"), basis())
        silent, alerts = not_none(step.profile), [*alerts, *step.alerts]
    assert any(each.endswith(".retracted") for each in transitions(alerts))
    assert not any(is_open(episode) for episode in silent.judgement.episodes.values())


def test_erasure_retracts_every_open_alert_and_leaves_no_data():
    profile, _ = lived(unhappy(), basis())
    step = on_event(profile, erased(135, event_id="x"), basis())

    assert transitions(step.alerts) == ["at_risk_loyal.retracted"]
    assert facts(not_none(step.profile)) == facts(Profile(customer="c"))
    assert b"o19" not in ENCODE(step.profile)


def test_a_ticket_that_is_resolved_in_time_raises_no_alert():
    quick = [*regular(), complained(134, "t", "The parcel is late"), resolved(135, "t")]
    slow = [*regular(), complained(134, "t", "The parcel is late")]

    assert "at_risk_loyal.raised" not in transitions(
        lived(quick, basis())[1] + waited(lived(quick, basis())[0], at(139), basis())[1]
    )
    assert "at_risk_loyal.raised" in transitions(waited(lived(slow, basis())[0], at(139), basis())[1])
