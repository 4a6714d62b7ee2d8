"""Arrivals of one instant: those of one key together, and no topic's offsets out of order for any key."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from stream.engine.codec import Arrival
from stream.engine.task.instants import by_key_within_instants

MERGED = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["a", "b"]), st.sampled_from([b"x", b"y", b"z"])),
    max_size=20,
)


def arrivals(merged: list[tuple[int, str, bytes]], for_all: int | None = None) -> list[Arrival]:
    """As the merge gives them out: in order of time, then of topics; the offsets of each topic rise."""
    made = []
    for offset, (time_ms, topic, key) in enumerate(sorted(merged, key=lambda each: each[:2])):
        arrival = Arrival(key, time_ms, None, topic, 0, offset, order_ms=time_ms)
        arrival.for_all = offset == for_all
        made.append(arrival)
    return made


@given(MERGED)
def test_arrivals_of_one_key_and_instant_follow_each_other(merged: list[tuple[int, str, bytes]]) -> None:
    out = by_key_within_instants(arrivals(merged))
    places = [(each.order_ms, each.key) for each in out]

    assert [place for place, _ in groupby(places)] == sorted(set(places))
    assert [each.more for each in out] == [one == next_one for one, next_one in pairwise(places)] + (
        [False] if out else []
    )


@given(MERGED, st.integers(0, 19))
def test_no_key_gets_the_offsets_of_a_topic_out_of_order(
    merged: list[tuple[int, str, bytes]], for_all: int
) -> None:
    out = by_key_within_instants(arrivals(merged, for_all))
    for key in (b"x", b"y", b"z"):
        for topic in ("a", "b"):
            theirs = [
                each.offset for each in out if each.topic == topic and (each.key == key or each.for_all)
            ]
            assert theirs == sorted(theirs)


@given(MERGED)
def test_nothing_is_lost_or_given_out_twice(merged: list[tuple[int, str, bytes]]) -> None:
    assert sorted(each.offset for each in by_key_within_instants(arrivals(merged))) == list(
        range(len(merged))
    )


@example([(1, "a", b"x"), (1, "a", b"x"), (1, "a", b"x")], 1)
@given(MERGED, st.integers(0, 19))
def test_nothing_waits_for_what_concerns_all_keys(merged: list[tuple[int, str, bytes]], place: int) -> None:
    """Rows of all keys then have its offset as applied: what waits would be taken for a repeat."""
    out = by_key_within_instants(arrivals(merged, place))

    assert not any(one.more for one, following in pairwise(out) if one.for_all or following.for_all)
