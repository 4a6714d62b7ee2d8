"""Laws 3 and 4: the same events make the same alerts, and silence is noticed at the instant it matters."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.episode import is_open
from stream.core.judgement.judge import judge
from stream.core.step import on_basis, on_event, on_review
from stream.core.units import DAY_MS
from stream.wire import YEAR_MAX, YEAR_MIN
from tests.support.builders import at, basis, bought, complained, learnt_basis, reviewed
from tests.support.laws import ENCODE, lived, transitions, waited
from tests.support.strategies import in_time_order, loyal_lives, mixtures

YEARS_MS = 3 * 365 * DAY_MS
ROUNDING_MS = 3
"""Closed forms are rounded up, so that the crossing is certainly past."""
BASES = st.deferred(lambda: st.sampled_from([basis(), learnt_basis()]))
LIVES = st.one_of(loyal_lives(), mixtures().map(in_time_order))


@given(LIVES)
def test_the_same_life_twice_makes_the_same_bytes(life):
    first, second = lived(life, basis()), lived(life, basis())

    assert ENCODE(first) == ENCODE(second)
    assert ENCODE(waited(first[0], at(3_000), basis())) == ENCODE(waited(second[0], at(3_000), basis()))


@given(LIVES, st.lists(st.floats(0, 1), max_size=30))
def test_ticks_in_between_change_nothing(life, places):
    plain, plain_alerts = lived(life, basis())
    ticks = sorted(life[0].time_ms + round(place * (life[-1].time_ms - life[0].time_ms)) for place in places)
    ticked: Profile | None = None
    alerts: list[Alert] = []
    for event in life:
        while ticks and ticks[0] < event.time_ms:
            tick = ticks.pop(0)
            if ticked is not None:
                alerts += on_review(ticked, tick, basis()).alerts
        step = on_event(ticked, event, basis())
        ticked, alerts = step.profile, [*alerts, *step.alerts]

    assert ENCODE(alerts) == ENCODE(plain_alerts)
    assert ENCODE(ticked) == ENCODE(plain)


@given(LIVES, st.lists(st.integers(1, 90), min_size=1, max_size=20))
def test_silence_judged_in_steps_gives_the_result_of_silence_judged_at_once(life, steps):
    profile, _ = lived(life, basis())
    whole, whole_alerts = waited(profile, life[-1].time_ms + sum(steps) * DAY_MS, basis())
    until_ms, alerts = life[-1].time_ms, []
    for step in steps:
        until_ms += step * DAY_MS
        profile, some = waited(profile, until_ms, basis())
        alerts += some

    assert ENCODE(alerts) == ENCODE(whole_alerts)
    assert ENCODE(profile) == ENCODE(whole)


@settings(max_examples=60)
@given(LIVES, st.lists(st.floats(0, 1), min_size=3, max_size=12), st.integers(0, 3), BASES)
def test_before_the_next_review_no_instant_would_change_anything(life, places, reviews, in_force):
    profile, _ = lived(life, in_force)
    for _ in range(reviews):
        if profile.next_review_ms is not None:
            profile, _ = waited(profile, profile.next_review_ms, in_force)
    if profile.next_review_ms is not None and profile.judgement.judged_ms < life[-1].time_ms:
        # Engagement alone is not weighed before the next review (docs/decisions/0004).
        profile, _ = waited(profile, profile.next_review_ms, in_force)
    judged_ms = profile.judgement.judged_ms or life[-1].time_ms
    due_ms = profile.next_review_ms or judged_ms + YEARS_MS
    last_ms = due_ms - ROUNDING_MS - judged_ms
    spans = [place * last_ms for place in places] + [last_ms]

    for span in spans:
        early = deepcopy(profile)
        decided = judge(early, judged_ms + max(0, round(span)), in_force)

        assert decided == [], f"{span / DAY_MS} days"
        assert conclusions(early) == conclusions(profile), f"{span / DAY_MS} days"


def conclusions(profile: Profile) -> tuple[object, ...]:
    """What others see of a judgement, without the risk itself."""
    judgement = profile.judgement
    states = {kind: (each.state, each.n) for kind, each in judgement.episodes.items() if each.state != "idle"}
    return judgement.tier, judgement.stage, states


@settings(max_examples=25)
@given(loyal_lives(noise_max=3))
def test_the_alerts_of_silence_are_those_of_a_look_at_every_quarter_of_a_day(life):
    profile, _ = lived(life, basis())
    start_ms, days = life[-1].time_ms, 60
    _, alerts = waited(profile, start_ms + days * DAY_MS, basis())
    brute = deepcopy(profile)
    found: list[Alert] = []
    for quarter in range(1, days * 4 + 1):
        found += on_basis(brute, start_ms + quarter * DAY_MS // 4, basis()).alerts
    expected = [alert for alert in alerts if not raised_in_the_same_quarter(alert, start_ms)]

    assert transitions(found) == transitions(expected)
    for seen, due in zip(found, expected, strict=True):
        assert due.time <= seen.time
        assert abs(ms(seen.time) - ms(due.time)) <= DAY_MS // 4 + 2


def raised_in_the_same_quarter(alert: Alert, start_ms: int) -> bool:
    """An escalation so soon after its raise that a look every quarter of a day finds both at once: raised."""
    times = (alert.data.episode.opened_at, alert.time)
    opened, now = (ceil((ms(time) - start_ms) / (DAY_MS / 4)) for time in times)
    return alert.data.state == "escalated" and opened == now


def ms(time: str) -> float:
    return datetime.fromisoformat(time).timestamp() * 1_000


def regular(count: int = 20, gap: float = 7.0, minor: int = 20_000) -> list:
    return [bought(number * gap, minor, event_id=f"b{number}") for number in range(count)]


def test_a_regular_customer_who_falls_silent_is_noticed_without_any_event():
    profile, alerts = lived(regular(), basis())
    later, found = waited(profile, at(133 + 120), basis())

    assert not any(
        alert.data.state == "raised" for alert in alerts if alert.data.kind != "upgrade_opportunity"
    )
    assert transitions(found)[0] == "at_risk_loyal.raised"
    assert any(is_open(episode) for episode in later.judgement.episodes.values())


def test_a_frequent_buyer_becomes_loyal_by_the_calendar_alone():
    """Six purchase days within a month: loyal at 90 days of tenure, and at risk from that very instant."""
    life: list[Event] = [bought(number * 2.0, 40_000, event_id=f"b{number}") for number in range(12)]
    life.append(complained(80, "t"))
    profile, _ = lived(life, basis())
    _, alerts = waited(profile, at(200), basis())

    (raised,) = [alert for alert in alerts if alert.type == "at_risk_loyal.raised"]
    assert ms(raised.time) == at(90)


def test_a_customer_without_any_activity_has_no_review():
    profile, _ = lived([reviewed(0, 5)], basis())

    assert waited(profile, at(5_000), basis())[1] == []


@pytest.mark.parametrize("early_ms", [1, 1_000, DAY_MS])
def test_an_unresolved_ticket_counts_from_the_instant_patience_ends(early_ms):
    life = [*regular(), complained(134, "t")]
    profile, alerts = lived(life, basis())
    patience_ms = basis().policy.at_risk_loyal.ticket_patience_ms
    due_ms = life[-1].time_ms + patience_ms

    assert "at_risk_loyal.raised" not in transitions(alerts)
    assert transitions(waited(profile, due_ms - early_ms, basis())[1]) == []
    (alert,) = waited(profile, due_ms, basis())[1]
    assert alert.type == "at_risk_loyal.raised"
    assert ms(alert.time) == due_ms


@given(LIVES, BASES, st.booleans())
def test_the_earliest_and_the_latest_accepted_day_work_like_any_other(life, basis, early):
    """Forward decay weights events by powers of two, which overflow after 2104."""
    first, last = datetime(YEAR_MIN, 1, 1, tzinfo=UTC), datetime(YEAR_MAX + 1, 1, 1, tzinfo=UTC)
    shift = first - life[0].time if early else last - timedelta(milliseconds=1) - life[-1].time
    moved = [msgspec.structs.replace(event, time=event.time + shift) for event in life]

    profile, alerts = lived(moved, basis)
    profile, late_alerts = waited(profile, round(last.timestamp() * 1_000), basis)

    assert msgspec.json.decode(ENCODE(profile), type=Profile) == profile  # infinity and NaN would be null
    assert b"null" not in ENCODE([alert.data.score for alert in alerts + late_alerts])
