"""The same events give the same bytes, whatever the number of partitions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event
from stream.core.units import DAY_MS
from stream.replay.run import replay
from tests.support.builders import at, basis, bought, erased, refunded, reviewed
from tests.support.laws import ENCODE, transitions
from tests.support.strategies import in_time_order, loyal_lives, mixtures, of_customer

CUSTOMERS = ("ann", "bob", "c", "dee", "eve")


@st.composite
def shops(draw) -> list[Event]:
    """Lives of several customers, merged by time."""
    everything: list[Event] = []
    for customer in CUSTOMERS[: draw(st.integers(2, 5))]:
        life = draw(st.one_of(loyal_lives(noise_max=4), mixtures(count_max=12)))
        everything += [of_customer(event, customer) for event in life]
    return in_time_order(everything)


@settings(max_examples=25)
@given(shops(), st.sampled_from([2, 4, 7]))
def test_profiles_and_alerts_are_the_same_bytes_for_any_number_of_partitions(events, partitions):
    until_ms = events[-1].time_ms + 90 * DAY_MS
    one, alerts = replay(events, basis(), until_ms=until_ms)
    many, spread = replay(events, basis(), until_ms=until_ms, partitions=partitions)

    assert ENCODE(spread) == ENCODE(alerts)
    assert ENCODE(many.profiles) == ENCODE(one.profiles)
    assert many.outcomes == one.outcomes


@settings(max_examples=25)
@given(shops())
def test_a_customers_alerts_do_not_depend_on_other_customers(events):
    until_ms = events[-1].time_ms + 90 * DAY_MS
    run, alerts = replay(events, basis(), until_ms=until_ms)
    for customer in CUSTOMERS:
        own = [event for event in events if event.subject == customer]
        alone, own_alerts = replay(own, basis(), until_ms=until_ms)

        assert ENCODE(own_alerts) == ENCODE([alert for alert in alerts if alert.subject == customer])
        assert ENCODE(alone.profiles.get(customer)) == ENCODE(run.profiles.get(customer))


def test_alerts_follow_from_inactivity_alone_when_the_clock_goes_on():
    events = [bought(number * 7.0, 20_000, event_id=f"b{number}") for number in range(20)]
    _, early = replay(events, basis())
    _, later = replay(events, basis(), until_ms=at(300))

    assert "at_risk_loyal.raised" not in transitions(early)
    assert "at_risk_loyal.raised" in transitions(later)
    assert ENCODE(early) == ENCODE(later[: len(early)])


def test_an_erased_customer_leaves_no_profile_behind_after_the_grace():
    events = [bought(0), reviewed(1, 1), erased(2)]

    assert list(replay(events, basis(), until_ms=at(3))[0].profiles) == ["c"]  # it rejects late events
    assert replay(events, basis(), until_ms=at(30))[0].profiles == {}


@pytest.mark.parametrize("late_days", [3, 20])
def test_a_late_refund_counts_at_the_time_of_its_order(late_days):
    life = [bought(0, 5_000, "o"), bought(1, 2_000)]
    run, _ = replay([*life, refunded(1 + late_days, "o", 5_000)], basis())

    assert run.profiles["c"].buying.net_minor == 2_000
