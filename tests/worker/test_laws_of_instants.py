"""Events of one instant: in whatever order topics, fetches and files hold them, the bytes are the same.

A replay and a lane of the engine get the same events. They recur within few instants, in all topics, with
duplicates and with two bodies under one id.
"""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event, PurchaseCompleted
from stream.replay.run import Replay, replay
from tests.support.builders import at, basis, bought, cancelled, complained, erased, refunded, resolved
from tests.support.laws import ENCODE
from tests.support.narrow import not_none
from tests.support.pipe import TOPICS, Pipe, by_topic
from tests.support.strategies import of_customer, tied_lives

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

CUSTOMERS = ("ann", "bob")


@st.composite
def tied_shops(draw: st.DrawFn) -> list[Event]:
    """Lives of two customers, in no order; then a purchase of somebody else at the end."""
    lives = [of_customer(event, customer) for customer in CUSTOMERS for event in draw(tied_lives())]
    return [*lives, bought(899, customer="end", event_id="end")]


def in_any_order_of_instants(events: list[Event], random: Random) -> list[Event]:
    """In order of time, those of one instant shuffled."""
    shuffled = random.sample(events, len(events))
    return sorted(shuffled, key=lambda event: event.time_ms)


def read_by_a_lane(pipe: Pipe, events: list[Event], random: Random) -> tuple[dict[str, bytes], list[bytes]]:
    """Profiles and alerts of a lane that reads the topics to their end, in fetches of any size."""
    left = by_topic(events)
    for topic in TOPICS:
        pipe.sources[topic].highwater = len(left[topic])
    while any(left.values()):
        topic = random.choice([topic for topic in TOPICS if left[topic]])
        size = random.randint(1, 4)
        fetched, left[topic] = left[topic][:size], left[topic][size:]
        pipe.arrive(topic, fetched, more=len(left[topic]))
        if random.random() < 0.7:
            pipe.live()
    pipe.live()
    rows = {name: pipe.lane.get(name.encode()) for name in (*CUSTOMERS, "end")}
    profiles = {
        name: ENCODE(row.profile) for name, row in rows.items() if row is not None and row.profile is not None
    }
    return profiles, pipe.alerts()


@settings(max_examples=40)
@given(tied_shops(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_within_instants_any_fetches_and_partitions_give_the_same_bytes(events, random, partitions):
    run, alerts = replay(in_any_order_of_instants(events, random), basis())
    other, other_alerts = replay(in_any_order_of_instants(events, random), basis(), partitions=partitions)
    profiles, sent = read_by_a_lane(Pipe(), in_any_order_of_instants(events, random), random)

    assert ENCODE(other_alerts) == ENCODE(alerts)
    assert ENCODE(other.profiles) == ENCODE(run.profiles)
    assert other.outcomes == run.outcomes
    assert profiles == {name: ENCODE(profile) for name, profile in run.profiles.items()}
    assert sorted(sent) == sorted(map(ENCODE, alerts))


@settings(max_examples=25)
@given(tied_shops(), st.randoms(use_true_random=False))
def test_instants_that_are_read_again_after_a_crash_change_nothing(events, random):
    in_topics = in_any_order_of_instants(events, random)
    before, after = Pipe(), Pipe()
    profiles, alerts = read_by_a_lane(before, in_topics, random)
    after.lane.table.apply_changelog([(*row, None) for row in before.lane.table.take_all()])
    after.lane.table.index()
    again, sent = read_by_a_lane(after, in_topics, random)

    assert again == profiles
    assert set(sent) <= set(alerts), "those that may not have been sent, and no others"


def two_bodies(apart_days: float = 0.0) -> list[PurchaseCompleted]:
    """Two orders under one event id, and their customer's first order."""
    first = bought(10, 3_000, "a", event_id="same")
    second = bought(10 + apart_days, 9_000, "b", event_id="same")
    return [bought(0, 1_000, "first"), first, second]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_of_two_bodies_under_one_id_in_one_instant_the_smaller_json_counts(order):
    events = two_bodies()
    run, _ = replay([events[place] for place in order], basis())
    smaller = min(events[1:], key=ENCODE)

    assert [each.order_id for each in run.profiles["c"].buying.orders] == ["first", smaller.data.order_id]
    assert run.outcomes == {"applied": 2, "duplicate": 1}


def test_of_two_bodies_under_one_id_at_two_instants_the_earlier_counts():
    events = two_bodies(apart_days=1.0)
    run, _ = replay(events, basis())

    assert [each.order_id for each in run.profiles["c"].buying.orders] == ["first", "a"]


def test_the_same_id_under_two_types_is_one_event_and_the_first_type_counts():
    complaint, ticket_closed = complained(1, "t", event_id="x"), resolved(1, "t", event_id="x")
    for events in ([complaint, ticket_closed], [ticket_closed, complaint]):
        run, _ = replay(events, basis())

        assert (run.profiles["c"].feedback.complaints, run.profiles["c"].feedback.resolved) == (1, {})


def test_an_order_and_its_refund_of_one_instant_never_show_the_order_alone():
    """A tier that was never earned is not reached for the moment between two events of one instant."""
    life = [bought(number * 7.0, 2_000, event_id=f"b{number}") for number in range(6)]
    big = bought(60, 5_000_000, "big", event_id="big")
    for back in (cancelled(60, "big", event_id="back"), refunded(60, "big", 5_000_000, event_id="back")):
        for tied in ([big, back], [back, big]):
            run, _ = replay([*life, *tied], basis())
            alone, _ = replay(life, basis())

            assert tiers_reached(run) <= tiers_reached(alone)


def tiers_reached(run: Replay) -> set[int]:
    return {rank for _, rank in run.profiles["c"].judgement.tier_moves}


def test_an_erasure_takes_away_every_event_of_its_instant():
    life = [bought(0), bought(5)]
    tied = [bought(9, event_id="z"), erased(9, event_id="a"), complained(9, "t", event_id="b")]
    stubs = set()
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        run, _ = replay([*life, *(tied[place] for place in order)], basis())
        stubs.add(ENCODE(run.profiles["c"]))

    assert len(stubs) == 1
    assert msgspec.json.decode(stubs.pop())["erased_ms"] == at(9)


def test_a_second_order_of_the_same_instant_corrects_nothing():
    """An alert that ends by two orders at once is closed, not withdrawn, whichever order id is greater."""
    life = [bought(number * 7.0, 20_000, event_id=f"b{number}") for number in range(20)]
    for ids in (("x1", "x2"), ("x2", "x1")):
        orders = [bought(260, 9_000, order, event_id=f"e{place}") for place, order in enumerate(ids)]
        _, alerts = replay([*life, *orders], basis())
        ended = [alert for alert in alerts if alert.time.startswith("2024-09-17")]

        assert {alert.data.state for alert in ended} == {"cleared"}
        assert {not_none(alert.causationid) for alert in ended} == {"e1"}
