"""Erased customers are barred by a pseudonym: no older event makes them again, and no row keeps their id."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from stream.config.settings import Settings
from stream.core.events.event import Event
from stream.core.facts.profile import ERASURE_GRACE_MS, Profile
from stream.core.units import DAY_MS
from stream.worker.app import note_start
from stream.worker.rows.bars import BAR_KEY
from stream.worker.rows.stored import read_row
from tests.support.builders import basis, bought, erased, visited
from tests.support.pipe import Pipe, by_topic

KEY = "a-key-for-tests-only"
LIFE = [bought(week * 7.0, 30_000, event_id=f"c{week}") for week in range(26)]
GRACE_DAYS = ERASURE_GRACE_MS / DAY_MS


def tick(day: float) -> Event:
    """Time goes on: somebody else buys."""
    return bought(day, 900, event_id=f"z{day}", customer="z")


def settled(pipe: Pipe) -> dict[bytes, bytes]:
    """What is in the changelog when all is written and committed."""
    while pipe.lane.dirty:
        batch = pipe.lane.take_batch(1_000)
        pipe.lane.note_durable(batch)
    return dict(pipe.lane.table._store.items())


def fed(pipe: Pipe, events: Sequence[Event]) -> dict[bytes, bytes]:
    for topic, of_topic in by_topic(events).items():
        pipe.arrive(topic, of_topic)
    pipe.live()
    return settled(pipe)


def erased_shop(key: str = KEY, day: float = 200.0) -> Pipe:
    """A weekly customer who was erased on a day."""
    pipe = Pipe(guarded=False, erasure_key=key)
    fed(pipe, [*LIFE, erased(day), tick(day + 0.001)])
    fed(pipe, [tick(day + 1)])
    return pipe


def started_again(pipe: Pipe, key: str) -> Pipe:
    """Another worker with the rows and the committed offsets of this one."""
    other = Pipe(
        guarded=False, start={topic: each.expected for topic, each in pipe.sources.items()}, erasure_key=key
    )
    other.lane.table.apply_changelog([(*row, None) for row in settled(pipe).items()])
    other.lane.table.index()
    return other


def profile_of(rows: dict[bytes, bytes], key: bytes = b"c") -> Profile | None:
    return read_row(rows[key]).profile if key in rows else None


def test_after_an_erasure_the_id_is_in_no_row_and_one_row_has_its_pseudonym():
    rows = settled(erased_shop())

    assert set(rows) - {b"z"} == {key for key in rows if key.startswith(BAR_KEY)}
    assert len(rows) == 2
    bar = next(row for key, row in rows.items() if key.startswith(BAR_KEY))
    assert b'"customer":""' in bar
    assert b"c0" not in bar


@pytest.mark.parametrize("days", [1.0, GRACE_DAYS + 1, 400.0])
def test_older_events_make_nobody_again_however_much_later_they_come(days):
    pipe = erased_shop()
    before = settled(pipe)
    fed(pipe, [tick(200.0 + days)])
    late = [bought(each.time_ms / DAY_MS % 100, 50_000, event_id=f"late{n}") for n, each in enumerate(LIFE)]

    rows = fed(pipe, [*late, visited(3.0, event_id="v"), *LIFE])

    assert rows.keys() == before.keys()
    assert not pipe.alerts()


def test_without_a_key_they_do_after_a_week():
    """What the key is for."""
    pipe = erased_shop(key="")
    fed(pipe, [tick(200.0 + GRACE_DAYS + 1)])

    assert b"c" in fed(pipe, LIFE)


def test_who_comes_back_is_a_new_customer_and_older_events_stay_out():
    pipe = erased_shop()
    fed(pipe, [bought(300.0, 20_000, event_id="back"), tick(301.0)])

    rows = fed(pipe, [bought(13.0, 1_000, event_id="older"), visited(150.0, event_id="v150")])

    back = profile_of(rows)
    assert back is not None
    assert (back.events, back.first_seen_ms) == (1, bought(300.0).time_ms)


def test_an_older_event_than_the_first_is_still_counted_for_who_was_never_erased():
    pipe = erased_shop()
    fed(pipe, [bought(300.0, 20_000, event_id="n", customer="n")])
    rows = fed(pipe, [bought(100.0, 20_000, event_id="older", customer="n")])

    late = profile_of(rows, b"n")
    assert late is not None
    assert late.events == 2


def test_an_erasure_that_is_sent_again_does_not_erase_who_came_back():
    pipe = erased_shop()
    fed(pipe, [bought(300.0, 20_000, event_id="back"), tick(301.0)])

    assert b"c" in fed(pipe, [erased(200.0)])
    fed(pipe, [erased(310.0, event_id="again"), tick(310.001)])
    assert b"c" not in fed(pipe, [tick(311.0)])
    assert b"c" not in fed(pipe, [bought(305.0, 20_000, event_id="between")])


def test_alerts_of_who_comes_back_count_on():
    """By its number a reader knows an alert, and would take that of a new beginning for a repeat."""
    pipe = erased_shop(day=310.0)
    before = {key: read_row(row).profile for key, row in settled(pipe).items()}
    (stub,) = [each for key, each in before.items() if key.startswith(BAR_KEY) and each is not None]
    fed(pipe, [bought(510.0, 20_000, event_id="back")])
    back = profile_of(settled(pipe))

    assert back is not None
    assert stub.judgement.alerts > 0
    assert back.judgement.alerts == stub.judgement.alerts


def test_a_changed_key_still_finds_what_the_old_one_barred():
    pipe = started_again(erased_shop(), f"another-key-for-tests {KEY}")
    before = settled(pipe)

    assert fed(pipe, LIFE).keys() == before.keys()


def test_a_stub_from_before_the_key_becomes_a_bar_when_its_week_is_over():
    pipe = started_again(erased_shop(key=""), KEY)
    assert b"c" in settled(pipe)
    fed(pipe, [tick(200.0 + GRACE_DAYS + 1)])
    fed(pipe, [tick(200.0 + GRACE_DAYS + 2)])

    rows = fed(pipe, LIFE)

    assert b"c" not in rows
    assert sum(key.startswith(BAR_KEY) for key in rows) == 1


def test_who_comes_back_at_once_is_a_new_customer_as_well():
    """Before the bar is written."""
    pipe = Pipe(guarded=False, erasure_key=KEY)
    fed(pipe, [*LIFE, erased(200.0), bought(200.00001, 20_000, event_id="back")])
    fed(pipe, [tick(201.0)])

    back = profile_of(fed(pipe, [bought(13.0, 1_000, event_id="older"), erased(200.0)]))

    assert back is not None
    assert back.events == 1


def test_the_erasure_of_somebody_unknown_bars_as_well():
    pipe = Pipe(guarded=False, erasure_key=KEY)
    fed(pipe, [erased(200.0), tick(200.001)])
    rows = fed(pipe, [tick(201.0)])
    assert {key[:1] for key in rows} == {b"z", b"\0"}

    assert fed(pipe, LIFE).keys() == rows.keys()


@pytest.mark.parametrize(("key", "lines"), [("", 1), (KEY, 0)])
def test_a_worker_without_the_key_warns_of_it_in_one_line_at_its_start(caplog, key, lines):
    with caplog.at_level(logging.WARNING, "stream.worker"):
        note_start(Settings(erasure_key=key), basis())

    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == lines
    assert all("STREAM_ERASURE_KEY is not set" in line and KEY not in line for line in warned)
