"""An erased customer stays erased wherever the worker dies, also between tombstone and commit.

The engine's lane and the worker's keeper on a changelog and commits that outlive them; at least once, so any
part of the flush under way may have been written when the worker dies.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event
from stream.engine.output.flush import ALL
from stream.engine.task.batch import FlushBatch
from stream.engine.task.commit_point import CommitPoint
from stream.worker.rows.row import OWN_ROWS, StoredRow
from tests.support.builders import basis, bought, erased, visited
from tests.support.lasting_kafka import TPS, LastingKafka
from tests.support.pipe import TOPICS, Pipe

ERASED = 310.0


def story() -> list[Event]:
    """A weekly customer falls silent, is erased, and comes back as a new one; `z` keeps the clock going.

    A purchase from before the erasure comes after it, and is turned away.
    """
    straggler = bought(170.5, 30_000, event_id="straggler")
    before = [bought(week * 7.0, 30_000, event_id=f"c{week}") for week in range(26)]
    looks = [visited(day + 0.3, event_id=f"v{day}") for day in range(150, 180, 2)]
    after = [bought(day, 20_000, event_id=f"n{day}") for day in (330.0, 337.0)]
    others = [
        bought(day + 0.1, 9_000, event_id=f"z{day}", customer="z")
        for day in [*range(0, 300, 9), *range(300, 345)]
    ]
    events = sorted([*before, *looks, *after, *others, erased(ERASED, event_id="gone")], key=lambda e: e.time)
    place = next(number for number, event in enumerate(events) if event.id == "z312")
    return [*events[: place + 1], straggler, *events[place + 1 :]]


STORY = story()


KEY = "a-key-for-tests-only"


def found_in(kafka: LastingKafka) -> tuple[dict[bytes, bytes], set[bytes]]:
    """Profiles of customers, and alerts; whether a bar was written before somebody came back is no part of
    it."""
    profiles, alerts = kafka.found()
    return {key: row for key, row in profiles.items() if not key.startswith(OWN_ROWS)}, alerts


def undisturbed(erasure_key: str = "") -> tuple[dict[bytes, bytes], set[bytes]]:
    kafka = LastingKafka(STORY, erasure_key=erasure_key)
    worker = kafka.worker()
    kafka.read(worker, len(STORY))
    kafka.settle(worker)
    return found_in(kafka)


WANTED, BARRED = undisturbed(), undisturbed(KEY)


def index_of(day: float) -> int:
    """How many events come before a day."""
    return next(number for number, event in enumerate(STORY) if event.id == f"z{day:.0f}")


def test_the_story_retracts_an_alert_and_ends_with_a_new_customer() -> None:
    profiles, alerts = WANTED

    assert {msgspec.json.decode(alert)["data"]["state"] for alert in alerts} >= {"raised", "retracted"}
    assert profiles.keys() == {b"c", b"z"}
    assert msgspec.json.decode(profiles[b"c"])["events"] == 2


@pytest.mark.parametrize("committed", [0, index_of(306), index_of(312)], ids=["all", "erasure", "straggler"])
def test_after_a_crash_between_tombstone_and_commit_the_customer_stays_erased(committed: int) -> None:
    """Of what comes again: the whole life, the end of it with the erasure, or just the straggler."""
    kafka = LastingKafka(STORY)
    first = kafka.worker()
    if committed:
        kafka.read(first, committed)
        kafka.settle(first)
    kafka.read(first, index_of(320))
    kafka.flush(first, survives=lambda: True)

    second = kafka.worker()
    kafka.read(second, index_of(329))
    kafka.settle(second)
    assert b"c" not in kafka.rows
    kafka.read(second, len(STORY))
    kafka.settle(second)

    assert found_in(kafka) == WANTED
    assert kafka.views == kafka.wanted_views(basis())


def test_a_row_that_waits_for_its_tombstone_keeps_waiting_when_a_replaced_worker_wrote_after_it() -> None:
    pipe = Pipe(guarded=False)
    table = pipe.lane.table
    left = msgspec.json.encode(StoredRow(applied={TOPICS[0]: 7}))
    table.apply_changelog([(b"c", left, 2), (b"c", None, 1)])  # the second is void: of an earlier epoch
    table.index()

    pipe.lane.start_at(dict.fromkeys(TPS, CommitPoint(5)))
    pipe.live()
    assert table.take_all() == [(b"c", left)], "what the void record hides is written anew"
    pipe.lane.note_durable(FlushBatch(0, 0, 1, [], [], dict.fromkeys(TPS, CommitPoint(9, flush=1))))

    assert table.take_all() == [(b"c", None)]


@pytest.mark.parametrize(("key", "wanted"), [("", WANTED), (KEY, BARRED)], ids=["stub", "bar"])
@settings(max_examples=100)
@given(st.data())
def test_wherever_the_worker_dies_the_end_is_the_same(key: str, wanted: Any, data: st.DataObject) -> None:
    kafka = LastingKafka(STORY, erasure_key=key)
    worker, place = kafka.worker(), 0
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(place, len(STORY)))
        kafka.read(worker, place)
        for row_limit in data.draw(st.lists(st.sampled_from([0, 1, 2, ALL]), max_size=3)):
            kafka.flush(worker, row_limit=row_limit)
        if data.draw(st.booleans()):
            row_limit = data.draw(st.sampled_from([0, 1, ALL]))
            kafka.flush(worker, survives=lambda: data.draw(st.booleans()), row_limit=row_limit)
            worker = kafka.worker()
            place = sum(point.offset for point in kafka.points.values())
    kafka.read(worker, len(STORY))
    kafka.settle(worker)

    assert found_in(kafka) == wanted
    assert kafka.views == kafka.wanted_views(basis())
