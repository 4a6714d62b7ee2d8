"""The topic of profile views says what the rows say, wherever the worker dies, and is written to seldom."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.view.build import profile_view
from stream.core.view.profile_view import VIEW_SCHEMA, ProfileView
from stream.engine.output.flush import ALL
from stream.engine.task.batch import FlushBatch
from stream.engine.task.commit_point import CommitPoint
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import NO_VIEW, LiveRow, StoredRow
from tests.support.builders import basis, bought, erased, viewed
from tests.support.lasting_kafka import TPS, LastingKafka
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, TOPICS, Pipe
from tests.support.strategies import loyal_lives, mixtures

WEEKS = [bought(week * 7.0, 30_000, event_id=f"c{week}") for week in range(26)]


def lived(story, **more) -> LastingKafka:
    kafka = LastingKafka(sorted(story, key=lambda event: event.time), **more)
    worker = kafka.worker()
    kafka.read(worker, len(story))
    kafka.settle(worker)
    return kafka


@settings(max_examples=60)
@given(st.one_of(mixtures(), loyal_lives()))
def test_the_view_on_the_topic_is_that_of_the_profile(life):
    kafka = lived(life)

    assert kafka.views == kafka.wanted_views(basis())
    assert kafka.views


def test_many_looks_on_one_day_are_one_view():
    looks = [viewed(183.0 + number / 1_440, "toys", event_id=f"v{number}") for number in range(60)]
    kafka = LastingKafka([*WEEKS, *looks])
    worker = kafka.worker()
    written = []
    for place in range(len(WEEKS), len(kafka.story) + 1):
        kafka.read(worker, place)
        kafka.settle(worker)
        written.append(kafka.written_views)

    assert kafka.views == kafka.wanted_views(basis())
    assert written[-1] - written[0] <= 3, "the day, the interest in toys; not each look"


def test_an_erased_customer_ends_in_a_tombstone_at_once():
    kafka = lived([*WEEKS, erased(200.0)])

    assert not_none(kafka.profiles()[b"c"]).erased_ms, "the stub is still there"
    assert kafka.views == {}


def test_a_customer_who_comes_back_has_a_view_again():
    kafka = lived([*WEEKS, erased(200.0), bought(300.0, 5_000)])

    view = msgspec.json.decode(kafka.views[b"c"], type=ProfileView)
    assert not_none(view.purchases).orders == 1


def test_the_headers_are_cloudevents_in_binary_mode():
    pipe = Pipe(guarded=False, views="on")
    pipe.feed(TOPICS[0], WEEKS)
    (record,) = [each for each in pipe.lane.take_batch(10).outgoing if each.topic == NAMES.view]

    headers = dict(not_none(record.headers))
    assert headers["content-type"] == b"application/json"
    assert headers["ce_type"] == b"customer.profile"
    assert (headers["ce_subject"], record.key, record.partition) == (b"c", b"c", 0)
    assert headers["ce_dataschema"] == VIEW_SCHEMA.encode()
    assert headers["ce_time"] == b"2024-06-24T00:00:00.000Z", "the last judgement"
    assert len(headers["ce_id"] or b"") == 36


def test_a_repeat_after_a_crash_has_the_same_id():
    ids = []
    for _ in range(2):
        pipe = Pipe(guarded=False, views="on")
        pipe.feed(TOPICS[0], WEEKS)
        ids += [dict(not_none(each.headers))["ce_id"] for each in pipe.lane.take_batch(10).outgoing
                if each.topic == NAMES.view]  # fmt: skip
    assert len(ids) == 2
    assert len(set(ids)) == 1


def restarted(kafka: LastingKafka, views: Literal["on", "off", "anew"]) -> int:
    """How many views a worker writes that starts on these rows, with nothing new to read."""
    pipe = Pipe(guarded=False, views=views)
    pipe.lane.table.apply_changelog([(*row, None) for row in kafka.rows.items()])
    pipe.lane.table.index()
    pipe.lane.start_at(kafka.points)
    before = kafka.written_views
    kafka.read(pipe, len(kafka.story))
    kafka.settle(pipe)
    return kafka.written_views - before


def test_a_worker_that_begins_to_write_views_writes_those_of_everybody():
    kafka = lived(WEEKS, views="off")
    assert kafka.views == {}

    assert restarted(kafka, "on") == 1
    assert kafka.views == kafka.wanted_views(basis())
    assert restarted(kafka, "on") == 0, "and not at the next start"


def test_anew_writes_them_once_more_for_a_topic_that_was_made_again():
    kafka = lived(WEEKS)
    kafka.views.clear()

    assert restarted(kafka, "on") == 0
    assert restarted(kafka, "anew") == 1
    assert kafka.views == kafka.wanted_views(basis())


def test_without_the_setting_nothing_is_written_and_what_was_said_is_forgotten():
    """Else a worker that writes views again would take the old ones for those of today."""
    kafka = lived(WEEKS)
    row = next(iter(kafka.rows.values()))
    off = ProfileCodec({}, 1, live=False)
    assert msgspec.json.decode(row, type=StoredRow).view
    assert off.peek(row).outbox_flush == 0

    again = off.decode_row(b"c", row)

    assert (again.view, again.view_flush) == ("", 0)


def test_what_a_start_finds_of_a_row_without_reading_it_is_what_is_in_it():
    codec = ProfileCodec({}, 1, live=False, views="on")
    profile = lived(WEEKS).profiles()[b"c"]
    for view, flush, wanted in (("", 0, 1 << 62), ("0a1b", 0, 0), ("0a1b", 7, 7), (NO_VIEW, 3, 3)):
        row = LiveRow(StoredRow(view=view, view_flush=flush, profile=profile)).encode()
        assert codec.peek(row).outbox_flush == wanted
        assert codec.peek(row).timer_ms == not_none(profile).next_review_ms


def test_what_a_replaced_worker_wrote_is_written_over():
    """Its rows are void by their epoch; its views carry none, and are sent once more with the rows."""
    kafka = lived(WEEKS)
    stored = kafka.rows[b"c"]
    pipe = Pipe(guarded=False, views="on")
    pipe.lane.table.apply_changelog([(b"c", stored, 2), (b"c", b"{}", 1), (b"d", None, 2), (b"d", b"{}", 1)])
    pipe.lane.table.index()
    pipe.lane.start_at(dict.fromkeys(TPS, CommitPoint(99, flush=9)))
    pipe.live()

    sent = [each for each in pipe.lane.take_batch(10).outgoing if each.topic == NAMES.view]

    wanted = kafka.wanted_views(basis())[b"c"]
    assert {(each.key, each.value) for each in sent} == {(b"c", wanted), (b"d", None)}


def test_a_number_that_is_not_finite_costs_no_partition():
    pipe = Pipe(guarded=False, views="on")
    pipe.feed(TOPICS[0], WEEKS)
    row = not_none(pipe.lane.get(b"c"))
    not_none(row.profile).judgement.risk = float("nan")

    batch = pipe.lane.take_batch(10)

    assert [each for each in batch.outgoing if each.topic == NAMES.view] == []
    assert len(batch.rows) == 1


@settings(max_examples=40)
@given(st.data())
def test_wherever_the_worker_dies_the_topics_say_what_the_rows_say(data):
    """Views, and alerts: those of a life without crashes, none lost and none under another id."""
    life = sorted(data.draw(st.one_of(mixtures(), loyal_lives())), key=lambda event: event.time)
    kafka = LastingKafka(life)
    worker, place = kafka.worker(), 0
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(place, len(life)))
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


@pytest.mark.parametrize("row_limit", [0, 1])
def test_a_view_of_nobody_is_deleted_wherever_the_worker_dies(row_limit):
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


def test_the_view_is_a_function_of_the_profile_alone():
    """Of the profile that was stored and read again, too."""
    kafka = lived(WEEKS)
    profile = not_none(kafka.profiles()[b"c"])

    assert profile_view(profile, basis()) == profile_view(profile, basis())
    assert kafka.views == kafka.wanted_views(basis())


def batches(pipe: Pipe) -> list[FlushBatch]:
    found = []
    while pipe.lane.dirty:
        found.append(pipe.lane.take_batch(1_000))
        pipe.lane.note_durable(found[-1])
    return found


def test_a_view_is_in_the_batch_of_its_row():
    pipe = Pipe(guarded=False, views="on")
    pipe.feed(TOPICS[0], [*WEEKS, bought(10.0, 100, customer="d")])

    (batch,) = batches(pipe)

    rows = {key: msgspec.json.decode(not_none(row), type=StoredRow) for key, row in batch.rows}
    views = {each.key for each in batch.outgoing if each.topic == NAMES.view}
    assert views == rows.keys()
    assert {row.view_flush for row in rows.values()} == {batch.flush}
