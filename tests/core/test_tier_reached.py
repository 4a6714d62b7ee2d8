"""An upgrade opportunity is over once its customer is of a higher tier: it speaks of that one tier."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert, AlertData
from stream.core.judgement.episode import is_open
from stream.core.step import on_event
from stream.core.units import DAY_MS
from tests.support.builders import basis, bought
from tests.support.laws import lived
from tests.support.narrow import not_none

KIND = "upgrade_opportunity"
IN_FORCE = basis(
    '[upgrade_opportunity]\nhistory_min = "7d"\ncloseness_weight = 1.0\n'
    "[upgrade_opportunity.hysteresis]\nraise_at = 0.7\nclear_at = 0.3\nescalate_at = 1.0\n"
)
"""Raised by nearness alone, so that the next tier but one is near enough to keep the score up."""
CUTOFFS = IN_FORCE.cutoffs


def lived_on(profile, life):
    """The profile after more events, and the alerts of these."""
    alerts: list[Alert] = []
    for event in life:
        step = on_event(profile, event, IN_FORCE)
        profile, alerts = not_none(step.profile), [*alerts, *step.alerts]
    return profile, alerts


def of(alerts, state):
    return [one for one in alerts if one.type == f"{KIND}.{state}"]


def near_the_next_tier(days=8):
    """A life that ends just below the second tier: its alert is open."""
    part = round(CUTOFFS[1] * 0.9 / days)
    return [bought(3 * n, part, event_id=f"b{n}") for n in range(days)]


@pytest.fixture
def waiting():
    profile, alerts = lived(near_the_next_tier(), IN_FORCE)
    assert of(alerts, "raised")
    assert is_open(profile.judgement.episodes[KIND])
    return profile


def one_more(minor, day=30.0):
    return bought(day, round(minor), event_id="more")


def test_it_is_cleared_when_the_tier_is_reached_though_the_one_after_it_is_near(waiting):
    step = on_event(waiting, one_more(CUTOFFS[2] * 0.95 - waiting.buying.net_minor), IN_FORCE)

    assert not_none(step.profile).judgement.tier == 1
    (cleared,) = of(step.alerts, "cleared")
    data: AlertData = cleared.data
    assert (data.score.value, data.score.base, data.evidence) == (0.0, 0.0, ())
    assert data.text is not None
    name = IN_FORCE.tier_names[1]
    assert "closed, the customer has reached a higher tier" in data.text.headline
    assert data.text.why == f"Now of the {name} tier."


def test_spend_that_does_not_reach_it_leaves_it_open(waiting):
    step = on_event(waiting, one_more(CUTOFFS[1] * 0.03), IN_FORCE)

    assert not_none(step.profile).judgement.tier == 0
    assert not of(step.alerts, "cleared")


def test_a_late_purchase_that_reaches_it_clears_it_and_does_not_retract_it(waiting):
    profile = not_none(on_event(waiting, bought(25, 100, event_id="small"), IN_FORCE).profile)
    step = on_event(profile, one_more(CUTOFFS[1] * 0.5, day=23), IN_FORCE)

    assert not_none(step.profile).judgement.tier == 1
    assert [one.data.state for one in step.alerts if one.data.kind == KIND] == ["cleared"]


def test_what_would_close_it_is_the_spend_of_the_next_tier(waiting):
    (raised,) = of(lived(near_the_next_tier(), IN_FORCE)[1], "raised")

    (remedy,) = raised.data.counterfactual.clears_if
    near = next(each for each in raised.data.evidence if each.code == "NEAR_NEXT_TIER")
    assert remedy.amount_minor == pytest.approx(near.baseline - near.observed, abs=2)


def test_the_next_tier_has_an_alert_of_its_own_after_the_pause(waiting):
    profile = on_event(waiting, one_more(CUTOFFS[2] * 0.95 - waiting.buying.net_minor), IN_FORCE).profile
    pause_ms = IN_FORCE.hysteresis["upgrade_opportunity"].cool_down_ms

    later = 31.0 + pause_ms / DAY_MS
    profile, alerts = lived_on(profile, [bought(later, round(CUTOFFS[2] * 0.4), event_id="late")])

    assert profile.judgement.tier == 1
    assert [one.data.episode.n for one in of(alerts, "raised")] == [2]


amounts = st.floats(0.02, 1.2)


@given(st.lists(st.tuples(st.floats(0.5, 20), amounts), min_size=6, max_size=25))
@settings(deadline=None)
def test_no_alert_is_open_about_a_tier_that_is_reached(steps):
    day, profile = 0.0, None
    for n, (gap, part) in enumerate(steps):
        day += gap
        event = bought(day, round(CUTOFFS[2] * part / 4), event_id=f"b{n}")
        profile = not_none(on_event(profile, event, IN_FORCE).profile)
        judgement = profile.judgement
        episode = judgement.episodes.get(KIND)
        if episode is not None and is_open(episode):
            moves = [rank for at_ms, rank in judgement.tier_moves if at_ms <= episode.opened_ms]
            assert judgement.tier <= (moves[-1] if moves else 0)
    assert msgspec.json.encode(profile)
