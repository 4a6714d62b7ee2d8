"""Reviews that take turns with events change no row, no alert, and no order of a customer's alerts.

The same story is lived by a lane that gives out all reviews strictly in order, and by one that gives out as
few as it may beside the events.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import CustomerErased, Event
from stream.core.units import DAY_MS
from stream.engine.output.flush import ALL
from tests.support.builders import at, bought, erased
from tests.support.in_order import in_order
from tests.support.lasting_kafka import LastingKafka
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe, Wall, by_topic
from tests.support.strategies import loyal_lives, mixtures, of_customer

CUSTOMERS = ("ann", "bob", "cid")
QUIET_MS = 300_000
"""More than the time without records after which a history is at its end."""


@st.composite
def shops(draw: st.DrawFn) -> list[Event]:
    """Events of three customers in order of time, who fall silent at about the same time."""
    lives: list[Event] = []
    for customer in CUSTOMERS:
        life = draw(st.one_of(mixtures(), loyal_lives()))
        if draw(st.booleans()):
            life = [*life, erased(draw(st.floats(0.0, 500.0)))]
        lives += [of_customer(event, customer) for event in life]
    return sorted(lives, key=lambda event: event.time_ms)


def after_instant(story: list[Event], place: int) -> int:
    """The first place from there on that is within no instant."""
    while 0 < place < len(story) and story[place].time_ms == story[place - 1].time_ms:
        place += 1
    return place


@st.composite
def schedules(draw: st.DrawFn, story: list[Event]) -> list[tuple[int, int]]:
    """When the agent has the lane: how many events were readable by then, and the time, in order."""
    some = draw(st.one_of(st.just([*range(len(story))]), st.lists(st.integers(0, len(story)), max_size=12)))
    places = sorted({after_instant(story, place) for place in some})
    turns: list[tuple[int, int]] = []
    for place in [*places, len(story)]:
        before_ms = story[place - 1].time_ms if place else at(0)
        next_ms = story[place].time_ms - 1 if place < len(story) else before_ms + 400 * DAY_MS
        wait_ms = draw(st.integers(0, max(0, next_ms - before_ms)))
        turns += [(place, before_ms), (place, before_ms + wait_ms)][: draw(st.integers(1, 2))]
    return turns


def sent(pipe: Pipe) -> dict[bytes, list[bytes]]:
    """The alerts of each customer, in the order in which they leave."""
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for out in pipe.lane.outgoing:
        if out.topic == NAMES.alerts:
            found[not_none(out.key)].append(not_none(out.value))
    return dict(found)


def taken_turns(pipe: Pipe, wall: Wall, story: list[Event], turns: list[tuple[int, int]]) -> None:
    for place, now_ms in turns:
        wall.now_ms = now_ms
        for topic, events in by_topic(story[:place]).items():
            pipe.arrive(topic, events[pipe.sources[topic].expected :])
        pipe.live()


def to_the_end(pipe: Pipe) -> None:
    while pipe.lane.may_have_moments():
        pipe.live()


def quiet_passes(pipe: Pipe, wall: Wall) -> None:
    """Records read again after a crash look like a history until nothing has come for a while."""
    to_the_end(pipe)
    wall.now_ms += QUIET_MS
    pipe.live()
    to_the_end(pipe)


@settings(max_examples=60)
@given(st.data(), st.integers(0, 2))
def test_reviews_that_take_turns_lead_to_the_same_bytes_as_reviews_in_order(data, at_once):
    story = data.draw(shops())
    turns = data.draw(schedules(story))
    found: list[tuple[list[tuple[bytes, bytes | None]], dict[bytes, list[bytes]]]] = []
    for wall in (Wall(), Wall()):
        pipe = Pipe(guarded=False, wall=wall)
        pipe.lane.due.at_once = at_once
        if found:
            in_order(pipe)
        taken_turns(pipe, wall, story, turns)
        pipe.lane.due.at_once = 1
        to_the_end(pipe)
        found.append((sorted(pipe.lane.table.take_all()), sent(pipe)))

    assert found[0] == found[1]


@settings(max_examples=40)
@given(st.data(), st.integers(0, 2))
def test_wherever_the_worker_dies_while_reviews_wait_rows_and_alerts_are_as_if_it_had_not(data, at_once):
    story = [event for event in data.draw(shops()) if not isinstance(event, CustomerErased)]
    turns = data.draw(schedules(story))
    wall = Wall()
    undisturbed, kafka = LastingKafka(story, "off", wall=wall), LastingKafka(story, "off", wall=wall)
    worker = in_order(undisturbed.worker())
    taken_turns(worker, wall, story, turns)
    quiet_passes(worker, wall)
    undisturbed.settle(worker)

    worker = kafka.worker()
    for turn in turns:
        worker.lane.due.at_once = at_once
        taken_turns(worker, wall, story, [turn])
        for row_limit in data.draw(st.lists(st.sampled_from([0, 1, ALL]), max_size=2)):
            kafka.flush(worker, row_limit=row_limit)
        if data.draw(st.booleans()):
            kafka.send_early(worker)
        if data.draw(st.booleans()):
            kafka.flush(worker, survives=lambda: data.draw(st.booleans()))
            worker = kafka.worker()
    taken_turns(worker, wall, story, turns[-1:])
    worker.lane.due.at_once = 1
    quiet_passes(worker, wall)
    kafka.settle(worker)

    assert kafka.found() == undisturbed.found()


def test_reviews_that_wait_at_a_border_let_an_event_of_another_customer_pass():
    wall = Wall(at(300))
    story: list[Event] = [
        of_customer(bought(10.0 * day, 90_000, event_id=f"b{day}"), f"c{number:03}")
        for day in range(30)
        for number in range(300)
    ]
    pipe = Pipe(guarded=False, wall=wall)
    pipe.feed(NAMES.purchases, story)
    wall.now_ms = at(900)
    pipe.live()
    waiting = pipe.lane.due.count
    before = len(pipe.alerts())
    wall.now_ms = at(901)
    pipe.feed(NAMES.purchases, [bought(901, 90_000, customer="c299"), bought(901, 100, customer="new")])

    alerts = [out.key for out in pipe.lane.outgoing if out.topic == NAMES.alerts]

    assert waiting >= 200
    assert not_none(not_none(pipe.lane.get(b"new")).profile).events == 1
    assert alerts[before] == b"c299"
