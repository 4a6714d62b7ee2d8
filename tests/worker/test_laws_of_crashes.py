"""Wherever the worker dies between a row and what is sent beside it, the next start sends what was lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from stream.core.events.event import Event
from stream.engine.output.flush import ALL
from stream.engine.task.commit_point import CommitPoint
from tests.support.builders import basis, bought
from tests.support.lasting_kafka import TPS, LastingKafka, lived
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe
from tests.support.spoilt_rows import SPOILT, letters, letters_among, pipe_with, stored
from tests.support.strategies import loyal_lives, mixtures

WEEKS = [bought(week * 7.0, 30_000, event_id=f"c{week}") for week in range(26)]


def after_instant(life: list[Event], place: int) -> int:
    """The first place from there on that is within no instant: what is read of one at two times is judged
    twice, with crashes or without (docs/decisions/0017)."""
    while 0 < place < len(life) and life[place].time == life[place - 1].time:
        place += 1
    return place


@settings(max_examples=40)
@given(st.data())
def test_wherever_the_worker_dies_the_topics_say_what_the_rows_say(data):
    """Views, and alerts: those of a life without crashes, none lost and none under another id."""
    life = sorted(data.draw(st.one_of(mixtures(), loyal_lives())), key=lambda event: event.time)
    kafka = LastingKafka(life)
    worker, place = kafka.worker(), 0
    for _ in range(data.draw(st.integers(1, 4))):
        place = after_instant(life, data.draw(st.integers(place, len(life))))
        kafka.read(worker, place)
        for row_limit in data.draw(st.lists(st.sampled_from([0, 1, ALL]), max_size=2)):
            kafka.flush(worker, row_limit=row_limit)
        if data.draw(st.booleans()):
            kafka.send_early(worker)
        if data.draw(st.booleans()):
            row_limit = data.draw(st.sampled_from([0, 1, ALL]))
            kafka.flush(worker, survives=lambda: data.draw(st.booleans()), row_limit=row_limit)
            for key in data.draw(st.sets(st.sampled_from([b"c", b"nobody"]))):
                kafka.replaced_worker_writes(key)
            worker = kafka.worker()
    kafka.read(worker, len(life))
    kafka.settle(worker)

    assert kafka.views == kafka.wanted_views(basis())
    assert kafka.alerts == lived(life).alerts


def crashed_between_row_and_what_is_beside(orders: int) -> LastingKafka:
    """Two customers; the first flush is written but for what is beside the rows, and is not committed."""
    story = [
        bought(10.0 * day, 90_000, event_id=f"{who}{day}", customer=who)
        for day in range(orders)
        for who in "cd"
    ]
    late = [bought(400.0 + day, 100, customer="d", event_id=f"late{day}") for day in range(3)]
    kafka = LastingKafka([*story, *late])
    worker = kafka.worker()
    kafka.read(worker, len(kafka.story))
    kafka.flush(worker, survives=iter([True, True] + [False] * 99).__next__)
    assert kafka.rows.keys() == {b"c", b"d"}
    assert not kafka.views
    assert not kafka.alerts
    return kafka


@pytest.mark.parametrize("row_limit", [0, 1])
@pytest.mark.parametrize(("orders", "has_alerts"), [(1, False), (9, True)], ids=["views", "alerts and views"])
def test_what_a_crash_lost_is_sent_though_a_flush_of_few_rows_is_committed_before_the_next_crash(
    orders, has_alerts, row_limit
):
    """The flush that follows bears the number of the one that was lost."""
    kafka = crashed_between_row_and_what_is_beside(orders)
    second = kafka.worker()
    kafka.read(second, len(kafka.story))
    kafka.flush(second, row_limit=row_limit)
    kafka.flush(second, survives=lambda: False)

    third = kafka.worker()
    kafka.read(third, len(kafka.story))
    kafka.settle(third)

    assert kafka.views == kafka.wanted_views(basis())
    assert kafka.alerts == lived(kafka.story).alerts
    assert bool(kafka.alerts) is has_alerts


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("row_limit", [0, 1])
def test_a_view_of_nobody_is_deleted_wherever_the_worker_dies(row_limit, early):
    """A replaced worker wrote row and view of a customer who has no row. Once the tombstone of the row is
    written, no start looks at the key again: the view must be gone by then."""
    kafka = lived(WEEKS)
    kafka.replaced_worker_writes(b"nobody")
    for _ in range(3):
        worker = kafka.worker()
        kafka.read(worker, len(kafka.story))
        kafka.flush(worker, row_limit=row_limit)
        kafka.flush(worker, survives=lambda: False)
    kafka.replaced_worker_writes(b"nobody")
    worker = kafka.worker()
    kafka.read(worker, len(kafka.story))
    kafka.flush(worker, survives=iter([True] + [False] * 9).__next__)
    kafka.settle(kafka.worker())
    worker = kafka.worker()
    kafka.read(worker, len(kafka.story))
    if early:
        kafka.send_early(worker)
    kafka.settle(worker)

    assert kafka.views == kafka.wanted_views(basis())
    assert not kafka.void, "the row is deleted as well"


def test_a_customer_who_comes_in_place_of_nobody_keeps_their_view():
    """The deletion of what a replaced worker wrote leaves before the view, not with a later flush."""
    kafka = LastingKafka([*WEEKS, bought(200.0, 100, customer="nobody"), bought(201.0, 100, customer="e")])
    kafka.replaced_worker_writes(b"nobody")
    worker = kafka.worker()
    kafka.read(worker, len(WEEKS))
    kafka.flush(worker, row_limit=0)
    kafka.read(worker, len(kafka.story))
    while worker.lane.dirty:
        kafka.flush(worker, row_limit=1)

    assert kafka.views == kafka.wanted_views(basis())
    assert b"nobody" in kafka.views


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.replace(b'"nps":9.0', b'"nps":null'),
        lambda row: row.replace(b'"customer":"c"', b'"customer":null'),
    ],
    ids=["only the whole row tells", "the peek tells"],
)
def test_an_alert_that_a_crash_lost_is_sent_of_a_spoilt_row_too(spoil):
    """Else the next flush would commit the number of the lost one, and the alert would look sent."""
    pipe = pipe_with({b"c": spoil(stored(outbox=b'{"id":"a1"}'))})
    pipe.lane.start_at(dict.fromkeys(TPS, CommitPoint(7, flush=2)))

    pipe.live()

    assert pipe.alerts() == [b'{"id":"a1"}']
    assert len(letters(pipe).letters) == 1
    assert not_none(pipe.lane.get(b"c")).outbox_flush == pipe.lane.flush_number


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_dead_letter_that_a_crash_lost_is_sent_again_under_its_name(spoil):
    """The row that took the place of the other is durable: nothing but it knows of the letter."""
    bad = spoil(stored())
    start = dict.fromkeys(TPS, CommitPoint(0, flush=2))
    first = pipe_with({b"c": bad})
    first.lane.start_at(start)
    first.feed(NAMES.purchases, [bought(10 + day) for day in range(9)])
    wanted = letters(first).letters
    written = dict(first.lane.take_batch(ALL).rows)

    second = pipe_with({key: not_none(row) for key, row in written.items()})
    second.lane.start_at(start)
    second.live()

    assert letters(second).letters.keys() == wanted.keys()
    assert [each.value for each in letters(second).letters.values()] == [bad]
    second.lane.note_durable(second.lane.take_batch(ALL))
    second.feed(NAMES.purchases, [bought(10 + day) for day in range(10)])
    assert not_none(second.lane.get(b"c")).set_aside == []
    assert not letters(second).letters


def with_numbers_that_are_not_finite(*sections: str) -> Pipe:
    """A worker in whose memory sections of a customer cannot be written, and an event that changes them."""
    pipe = pipe_with({b"c": stored()})
    pipe.lane.start_at(dict.fromkeys(TPS, CommitPoint(0, flush=2)))
    profile = not_none(not_none(pipe.lane.get(b"c")).profile)
    if "buying" in sections:
        profile.buying.sums.value = math.nan
    if "interests" in sections:
        profile.interests.bought["books"] = math.inf
    pipe.feed(NAMES.purchases, [bought(10 + day) for day in range(9)])
    return pipe


@pytest.mark.parametrize("sections", [("buying",), ("buying", "interests")], ids=" and ".join)
def test_the_letters_of_sections_that_could_not_be_written_outlive_any_crash(sections):
    """They leave with the row, and the row remembers them until that is committed: a worker that dies, or
    that drops the row from memory, sees no event of the customer again that would have them sent."""
    first = with_numbers_that_are_not_finite(*sections)
    batch = first.lane.take_batch(ALL)
    sent = letters_among(batch.outgoing).letters

    second = pipe_with({key: not_none(row) for key, row in batch.rows})
    second.lane.start_at(dict.fromkeys(TPS, CommitPoint(0, flush=2)))
    second.live()

    assert [each.reason for each in sent.values()] == ["row_unreadable"] * len(sections)
    assert letters(second).letters.keys() == sent.keys()
    assert {each.value for each in letters(second).letters.values()} == {each.value for each in sent.values()}
    assert not_none(not_none(second.lane.get(b"c")).profile).buying.sums.orders in (2, 3, 4)


def test_a_section_that_could_not_be_written_is_one_letter_when_no_worker_dies():
    pipe = with_numbers_that_are_not_finite("buying")
    before = len(letters(pipe).letters)
    pipe.lane.note_durable(pipe.lane.take_batch(ALL))
    pipe.feed(NAMES.purchases, [bought(30 + day) for day in range(3)])

    assert (before, len(letters(pipe).letters)) == (1, 0)
    assert not_none(pipe.lane.get(b"c")).set_aside == []


def test_a_spoilt_row_that_took_the_place_of_another_keeps_both_letters_and_the_alerts_of_a_shadow():
    """Whatever else is in it: the first letter, and what a shadow would have raised, may not have left."""
    cut = stored()[:-40]
    first = pipe_with({b"c": cut})
    start = dict.fromkeys(TPS, CommitPoint(0, flush=2))
    first.lane.start_at(start)
    first.feed(NAMES.purchases, [bought(10 + day) for day in range(9)])
    not_none(first.lane.get(b"c")).shadow_outbox = [Raw(b'{"id":"s1"}')]
    rows = dict(first.lane.take_batch(ALL).rows)
    again = not_none(rows[b"c"]).replace(b'"basket_sum":', b'"basket_sum":"much","was":')

    second = pipe_with({b"c": again})
    second.lane.start_at(start)
    second.live()

    assert {each.value for each in letters(second).letters.values()} == {cut, again}
    assert [out.value for out in second.lane.outgoing if out.topic == NAMES.shadow] == [b'{"id":"s1"}']
