"""A row that cannot be read costs one customer, never the partition; and no such row is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from msgspec import inspect, json

from stream.core.events.event import MessageClicked
from stream.core.facts.profile import EVERYTHING, Episode, Profile
from stream.core.step import on_event
from stream.engine import EngineError, Exit, Peek
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import MODEL_KEY, LiveRow, StoredRow
from stream.worker.rows.spoilt import SET_ASIDE_MAX, check_rows
from tests.support.builders import (
    answered,
    basis,
    bought,
    complained,
    identified,
    mailed,
    reviewed,
    viewed,
    visited,
)
from tests.support.narrow import not_none
from tests.support.pipe import NAMES
from tests.support.spoilt_rows import SPOILT, letters, pipe_with, stored

CODEC = ProfileCodec({}, 1, live=False)


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_row_that_cannot_be_read_becomes_a_dead_letter_and_its_customer_starts_anew(spoil, caplog):
    whole = stored("d")
    bad = spoil(stored())
    pipe = pipe_with({b"c": bad, b"d": whole})
    pipe.feed(NAMES.purchases, [*(bought(10 + day) for day in range(9)), bought(20, customer="d")])

    letter = next(iter(letters(pipe).letters.values()))
    assert (letter.reason, letter.topic, letter.key, letter.value) == (
        "row_unreadable",
        NAMES.profiles,
        b"c",
        bad,
    )
    assert len(letters(pipe).letters) == 1
    assert not_none(not_none(pipe.lane.get(b"c")).profile).buying.sums.orders in (
        2,
        9,
    )  # offsets 0 to 6 are known
    assert not_none(not_none(pipe.lane.get(b"d")).profile).events == 3 + 1
    assert "the row of one customer cannot be read" in caplog.text


def test_offsets_and_unsent_alerts_of_a_spoilt_row_are_kept():
    row = CODEC.decode_row(b"c", stored(outbox=b'{"id":"a1"}').replace(b'"nps":9.0', b'"nps":null'))

    assert row.applied == {NAMES.purchases: 7} == CODEC.applied(row.encode())
    assert (row.outbox, row.outbox_flush, row.profile) == ([msgspec.Raw(b'{"id":"a1"}')], 3, None)


def test_what_a_peek_cannot_read_is_due_at_once_and_set_aside_without_an_event_of_its_customer():
    pipe = pipe_with({b"c": b"[1,2]"})
    assert CODEC.peek(b"[1,2]") == Peek(0, 0)

    pipe.feed(NAMES.purchases, [bought(1, customer="somebody else")])

    assert len(letters(pipe).letters) == 1


def test_a_spoilt_row_is_told_once():
    pipe = pipe_with({b"c": stored()[:-9]})
    for day in range(3):
        pipe.feed(NAMES.purchases, [bought(10 + day)])
    pipe.feed(NAMES.engagement, [visited(20)])

    assert sum(out.topic == NAMES.deadletter for out in pipe.lane.outgoing) == 1


def test_a_spoilt_row_goes_to_the_dead_letters_also_before_events_of_one_instant():
    bad = stored().replace(b'"nps":9.0', b'"nps":null')
    pipe = pipe_with({b"c": bad})
    first, second = bought(10), bought(10, order="another")
    pipe.feed(NAMES.purchases, [*(bought(day, customer="d") for day in range(7)), first, second])

    assert [letter.value for letter in letters(pipe).letters.values()] == [bad]
    assert not_none(not_none(pipe.lane.get(b"c")).profile).buying.sums.orders == 2


def test_letters_of_two_rows_have_two_names_and_one_row_always_the_same():
    rows = {b"c": b"[1]", b"d": b"[1]", b"e": b"[2]"}
    first, again = (pipe_with(rows) for _ in range(2))
    for pipe in (first, again):
        pipe.feed(NAMES.purchases, [bought(1, customer="somebody else")])

    assert len(letters(first).letters) == 3
    assert letters(first).letters.keys() == letters(again).letters.keys()


def test_the_model_row_is_not_begun_anew():
    """Without it, every customer of the partition would be judged by another model, in silence."""
    with pytest.raises(EngineError) as stopped:
        pipe_with({MODEL_KEY: b"[1]"}).lane.get(MODEL_KEY)

    assert stopped.value.code is Exit.DATA_LOSS


def test_a_start_stops_when_most_rows_are_those_of_another_version():
    rows = {b"c%d" % number: b'{"profile":{"customer":1}}' for number in range(20)}

    with pytest.raises(EngineError, match="20 of 20 rows seen in partition 0 cannot be read by this version"):
        check_rows(pipe_with(rows).lane)


def test_a_start_goes_on_with_some_spoilt_rows_among_many():
    spoilt = {b"c%d" % number: b"[1]" for number in range(9)}

    check_rows(pipe_with(spoilt | {b"d%d" % number: stored(f"d{number}") for number in range(30)}).lane)
    check_rows(pipe_with({b"c": b"[1]"}).lane)


def test_a_worker_stops_when_it_has_set_aside_many_rows():
    pipe = pipe_with({b"c%d" % number: b"[1]" for number in range(SET_ASIDE_MAX + 1)})

    with pytest.raises(EngineError, match="more than 100 rows"):
        pipe.feed(NAMES.purchases, [bought(1, customer="somebody else")])


@lru_cache(maxsize=1)
def _rich() -> bytes:
    """A profile in which every section and every kind of entry holds something."""
    life = [
        *(bought(day, 60_000 + day, customer="c") for day in range(70)),
        *(viewed(70, "books"), visited(71), mailed(71, MessageClicked), identified(72, "k")),
        *(reviewed(73, 1, "The delivery was late and rude."), answered(74, 2), complained(75, "t", "Awful!")),
    ]
    profile: Profile | None = None
    for event in life:
        profile = on_event(profile, event, basis()).profile
    not_none(profile).judgement.episodes["churn_risk"] = Episode(state="raised", score=0.7)
    return json.encode(not_none(profile))


def rich() -> Profile:
    return json.decode(_rich(), type=Profile)


def places_of_floats(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every floating-point number in a struct, its lists and its mappings."""
    if isinstance(value, float):
        yield path
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from places_of_floats(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from places_of_floats(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places_of_floats(inner, (*path, place))


def put_at(value: Any, path: tuple[Any, ...], number: float) -> None:
    """Replace the number at a path."""
    for step in path[:-1]:
        value = getattr(value, step) if isinstance(value, msgspec.Struct) else value[step]
    if isinstance(value, msgspec.Struct):
        setattr(value, path[-1], number)
    else:
        value[path[-1]] = number


PLACES = list(places_of_floats(rich()))


def test_the_rich_profile_has_every_number_that_a_profile_may_have():
    """By the last two steps of their paths; a new one belongs into an event of `rich`, and into TOTALS."""
    named = {step for path in PLACES for step in path if isinstance(step, str)}

    assert {path[0] for path in PLACES} == {"feedback", "buying", "judgement", "interests", "engagement"}
    assert floats_declared(Profile) - {"share"} <= named  # of an experiment: the policy's check bounds it


def floats_declared(kind: type[msgspec.Struct]) -> set[str]:
    """The names of all fields that hold floats, in a struct and in those inside it."""
    found: set[str] = set()
    seen: set[Any] = set()

    def look(info: Any, name: str) -> None:
        match info:
            case inspect.FloatType():
                found.add(name)
            case inspect.StructType() if info.cls not in seen:
                seen.add(info.cls)
                for field in info.fields:
                    look(field.type, field.name)
            case inspect.UnionType():
                for each in info.types:
                    look(each, name)
            case inspect.ListType():
                look(info.item_type, name)
            case inspect.DictType():
                look(info.value_type, name)

    look(inspect.type_info(kind), "")
    return found


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_number_that_is_not_finite_is_never_written(path, caplog):
    """By the contract none can arise; were one to, the section stays as it was last written."""
    for number in (math.inf, -math.inf, math.nan):
        row = LiveRow(StoredRow(profile=rich()))
        good = CODEC.decode_row(b"c", row.encode())
        profile = not_none(row.profile)
        put_at(profile, path, number)
        profile.events = 99
        row.changed = EVERYTHING

        (spoilt,) = row.set_right(EVERYTHING)
        again = CODEC.decode_row(b"c", row.encode())

        assert again.spoilt is None
        assert getattr(again.profile, path[0]) == getattr(good.profile, path[0])
        assert not_none(again.profile).events == 99
        assert spoilt.problem.startswith(f"{path[0]}: ")
        assert "nobody could read it" in caplog.text


def test_finite_numbers_whose_sum_is_not_are_written_as_they_are():
    row = LiveRow(StoredRow(profile=rich()))
    sums = not_none(row.profile).buying.sums
    sums.value = sums.basket_sum = 1.7e308

    assert row.set_right(EVERYTHING) == []
    assert not_none(CODEC.decode_row(b"c", row.encode()).profile).buying.sums.value == 1.7e308


def test_a_section_of_a_row_that_was_read_back_stays_as_it_was_read():
    row = CODEC.decode_row(b"c", stored())
    profile = not_none(row.profile)
    profile.buying.sums.value = math.nan

    assert len(row.set_right(EVERYTHING)) == 1
    again = not_none(CODEC.decode_row(b"c", row.encode()).profile)

    assert (again.buying.sums.orders, math.isfinite(again.buying.sums.value)) == (2, True)
