"""Missing purchases of one customer are inactivity; missing purchases of all are a stalled input.

When purchases stop coming, time stands still for everybody; after they came the alerts are those of a run
that was never disturbed.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event
from stream.core.units import DAY_MS
from stream.replay.run import replay
from tests.support.builders import at, basis, bought, reviewed, visited
from tests.support.laws import ENCODE
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, TOPICS, Pipe, by_topic
from tests.support.strategies import in_time_order, loyal_lives


@settings(max_examples=25)
@given(loyal_lives(), st.floats(0, 1), st.integers(1, 5))
def test_after_a_stall_of_purchases_the_alerts_are_those_of_an_undisturbed_run(life, share, portions):
    end = bought((life[-1].time_ms - at(0)) / DAY_MS + 1, 1, event_id="end", customer="somebody else")
    topics = by_topic([*life, end])
    stalled_at = max(1, round(share * len(topics[NAMES.purchases])))  # before the first there is no clock
    at_hand, to_come = topics[NAMES.purchases][:stalled_at], topics[NAMES.purchases][stalled_at:]
    assume(not to_come or at_hand[-1].time < to_come[0].time)
    pipe = Pipe()
    pipe.arrive(NAMES.purchases, at_hand)
    rest = {}
    for topic in TOPICS[1:]:
        before = [event for event in topics[topic] if event.time <= at_hand[-1].time]
        rest[topic] = topics[topic][len(before) :]
        pipe.arrive(topic, before)
    pipe.live()
    for topic, events in rest.items():
        for portion in range(portions):
            pipe.feed(topic, _part(events, portion, portions))
    pipe.feed(NAMES.purchases, to_come)

    run, expected = replay(in_time_order([*life, end]), basis())
    row = pipe.lane.get(b"c")

    assert pipe.alerts() == [ENCODE(alert) for alert in expected]
    assert ENCODE(not_none(row).profile) == ENCODE(run.profiles["c"])


def _part(events: list[Event], portion: int, portions: int) -> list[Event]:
    size = -(-len(events) // portions)
    return events[portion * size : (portion + 1) * size]


def silent_shop() -> tuple[list[Event], list[Event]]:
    """A customer who buys every week, and half a year of visits and reviews by others."""
    weekly: list[Event] = [bought(number * 7.0, 20_000, event_id=f"b{number}") for number in range(47)]
    others = [visited(number * 1.0, event_id=f"v{number}") for number in range(320)]
    words = [reviewed(number * 10.0, 4, event_id=f"r{number}") for number in range(32)]
    return weekly, [*others, *words]


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_reference_source_a_stalled_input_looks_like_lost_customers(guarded):
    weekly, others = silent_shop()
    topics = by_topic(others)
    pipe = Pipe(guarded=guarded)
    pipe.feed(NAMES.purchases, weekly[:20])
    for topic in (NAMES.engagement, NAMES.feedback):
        pipe.feed(topic, topics[topic])

    raised = [alert for alert in pipe.alerts() if b'"state":"raised"' in alert]

    assert bool(raised) is not guarded
    assert pipe.lane.stalled is guarded
    if guarded:
        assert pipe.lane.clock_ms == weekly[19].time_ms
        pipe.feed(NAMES.purchases, weekly[20:])
        assert not any(b"at_risk_loyal" in alert or b"churn_risk" in alert for alert in pipe.alerts())
        assert not pipe.lane.stalled
