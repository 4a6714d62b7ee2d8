"""A live row reuses encoded sections; its bytes always equal those of the whole row encoded at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, json

from stream.core.facts.profile import NOTHING, SECTIONS, Profile, head_of
from stream.core.step import on_basis, on_event, on_review
from stream.core.units import DAY_MS
from stream.engine import Peek
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import LiveRow, StoredRow
from tests.support.builders import at, basis, erased
from tests.support.narrow import not_none
from tests.support.strategies import loyal_lives, mixtures

CODEC = ProfileCodec({}, 1, live=False)


def whole(row: LiveRow) -> bytes:
    return json.encode(StoredRow(row.applied, row.outbox, row.outbox_flush, row.models, profile=row.profile))


def took(row: LiveRow, step) -> None:
    row.profile = step.profile
    row.changed |= step.changed


@given(st.one_of(mixtures(), loyal_lives()), st.data())
def test_after_any_steps_the_bytes_are_those_of_the_whole_row(life, data):
    row, judged_by = LiveRow(StoredRow()), basis()
    for number, event in enumerate(life):
        took(row, on_event(row.profile, event, judged_by))
        row.applied["purchases"] = number
        match data.draw(st.sampled_from(("write", "go on", "wait", "rebook", "erase", "say", "rest"))):
            case "write":
                assert row.encode() == whole(row)
            case "wait":
                took(row, on_review(not_none(row.profile), event.time_ms + 90 * DAY_MS, judged_by))
                row.profile = row.profile or Profile(event.subject)
            case "rebook":
                took(row, on_basis(not_none(row.profile), event.time_ms, judged_by))
            case "erase":
                took(row, on_event(row.profile, erased(event.time_ms / DAY_MS - at(0) / DAY_MS), judged_by))
            case "say":
                row.outbox, row.outbox_flush = [Raw(b'{"a":"}}"}')], number
            case "rest":
                row = CODEC.decode_row(b"c", row.encode())
    assert row.encode() == whole(row)
    assert row.changed == NOTHING
    assert row.encode() == whole(row)


def parsed(row: bytes) -> Peek:
    seen = json.decode(row, type=StoredRow)
    timer_ms = seen.profile.next_review_ms if seen.profile else None
    return Peek(timer_ms, seen.outbox_flush, None if seen.profile or seen.models else seen.applied)


@given(
    st.one_of(mixtures(), loyal_lives()),
    st.sampled_from(("c", 'with "quotes"', "back\\slash", "ü", '","next_review_ms":7,"first_seen_ms":')),
    st.dictionaries(st.sampled_from(("purchases", "feedback", "a{b}")), st.integers(0, 1 << 40)),
    st.integers(0, 2),
)
def test_peek_gives_what_decoding_the_whole_row_gives(life, customer, applied, outbox_flush):
    profile: Profile | None = None
    for event in life:
        profile = on_event(profile, event, basis()).profile
    profile = not_none(profile)
    profile.customer = customer
    outbox = [Raw(b'{"profile":{"next_review_ms":1}}')] if outbox_flush else []
    for kept in (profile, None, Profile(customer), Profile(customer, next_review_ms=5)):
        row = json.encode(StoredRow(applied, outbox, outbox_flush, [], profile=kept))
        assert CODEC.peek(row) == parsed(row)


def test_peek_reads_a_row_with_another_order_of_fields():
    row = b'{"applied":{"p":1},"profile":{"customer":"c","events":3,"next_review_ms":9,"first_seen_ms":1}}'
    assert CODEC.peek(row).timer_ms == 9


def test_head_and_sections_are_the_whole_profile_in_the_order_of_its_fields():
    profile = Profile("c", *range(len(head_of(Profile("c")).__struct_fields__) - 1))

    assert profile.__struct_fields__ == (*head_of(profile).__struct_fields__, *SECTIONS)
    for name in head_of(profile).__struct_fields__:
        assert getattr(head_of(profile), name) == getattr(profile, name)
