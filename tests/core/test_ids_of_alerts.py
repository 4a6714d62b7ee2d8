"""No two alerts of a customer have the same id: a reader drops the second one as a repeat."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.step import on_basis, on_event, on_review
from stream.core.units import DAY_MS
from tests.support.builders import at, basis, bought, erased
from tests.support.strategies import loyal_lives


@given(loyal_lives(noise_max=20), st.randoms(use_true_random=False))
def test_whatever_happens_no_two_alerts_of_a_customer_have_the_same_id(life, draw):
    """Late events, reviews, models that are published in between, an erasure and what is sent again after."""
    late = [draw.randrange(len(life)) for _ in range(4)]
    order = [each for place, each in enumerate(life) if place not in late] + [
        life[place] for place in {*late}
    ]
    gone_ms = max(each.time_ms for each in life) + draw.randrange(60) * DAY_MS
    alerts: list[Alert] = []
    profile: Profile | None = None
    for each in [*order, erased((gone_ms - at(0)) / DAY_MS), *order]:
        step = on_event(profile, each, basis())
        profile, alerts = step.profile, [*alerts, *step.alerts]
        if profile is not None and draw.random() < 0.2:
            until_ms = profile.judgement.judged_ms + draw.randrange(90) * DAY_MS
            for again in (on_review(profile, until_ms, basis()), on_basis(profile, until_ms, basis())):
                alerts += again.alerts
                profile = again.profile or profile

    repeated = {name: count for name, count in Counter(each.id for each in alerts).items() if count > 1}
    assert not repeated, [each.type for each in alerts if each.id in repeated]


def test_a_customer_who_was_erased_and_comes_back_has_alerts_of_new_episodes_with_later_numbers():
    """The erasure is dated before the purchases, which are sent again: the same alerts follow."""
    life = [bought(number * 5.0, 40_000, event_id=f"b{number}") for number in range(24)]
    alerts: list[Alert] = []
    profile: Profile | None = None
    for each in [*life, erased(-2.0), erased(-1.0), *life]:
        step = on_event(profile, each, basis())
        profile, alerts = step.profile, [*alerts, *step.alerts]
        if profile is not None and each is life[-1]:
            step = on_review(profile, at(180), basis())
            profile, alerts = step.profile, [*alerts, *step.alerts]

    assert [each.data.state for each in alerts] == ["raised", "escalated", "retracted", "raised", "escalated"]
    assert len({each.id for each in alerts}) == len(alerts)
    assert [each.data.dedupe_key[-1] for each in alerts] == [*"111", *"22"]
    assert [int(each.sequence) for each in alerts] == [1, 2, 3, 4, 5]
