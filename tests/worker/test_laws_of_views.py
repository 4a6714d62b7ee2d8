"""The topic of profile views says what the rows say, wherever the worker dies, and is written to seldom."""

from __future__ import annotations

from typing import Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.view.build import profile_view
from stream.core.view.profile_view import VIEW_SCHEMA, ProfileView
from stream.engine.task.batch import FlushBatch
from stream.engine.task.commit_point import CommitPoint
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import NO_VIEW, LiveRow, StoredRow
from tests.support.builders import basis, bought, erased, viewed
from tests.support.lasting_kafka import TPS, LastingKafka, lived
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, TOPICS, Pipe
from tests.support.strategies import loyal_lives, mixtures

WEEKS = [bought(week * 7.0, 30_000, event_id=f"c{week}") for week in range(26)]


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
