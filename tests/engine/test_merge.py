"""Merging by event time: every record once and in order, prefixes only, and no topic waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.codec import Arrival
from stream.engine.options import EngineOptions
from stream.engine.task.merge import INSTANT_BUFFERS, Source, merge_ready
from stream.engine.units import FOREVER_MS

MAX_IDLE_S = 0.5
TIMES = st.lists(st.integers(0, 50), max_size=30)


def source(topic: str, times: list[int | None], more: int = 0, max_pending: int = 1000) -> Source:
    """A topic whose records have these event times; `more` of them are still at the broker."""
    made = Source(topic, 0, max_pending)
    made.highwater = len(times) + more
    made.add([Arrival(b"k", t, None, topic, 0, offset) for offset, t in enumerate(times)], len(times))
    return made


def given_out(
    sources: list[Source], now_s: float = 0.0, limit_ms: int = FOREVER_MS, merge_wait_s: float = 0.0
) -> list[tuple[str, int]]:
    released = merge_ready(sources, now_s, MAX_IDLE_S, limit_ms, merge_wait_s)
    return [(each.topic, each.order_ms) for each in released]


def more(source: Source, *times: int) -> None:
    """Add records up to the end of the topic."""
    start = source.expected
    source.highwater = start + len(times)
    arrivals = [Arrival(b"k", t, None, source.topic, 0, start + number) for number, t in enumerate(times)]
    source.add(arrivals, source.highwater)


def test_topics_that_are_completely_read_come_out_in_order_of_time() -> None:
    merged = given_out([source("a", [1, 4]), source("b", [2, 3])])

    assert merged == [("a", 1), ("b", 2), ("b", 3), ("a", 4)]


def test_equal_times_go_in_the_order_of_the_topics() -> None:
    assert given_out([source("a", [5]), source("b", [5])]) == [("a", 5), ("b", 5)]


def test_a_late_record_follows_its_predecessor() -> None:
    assert given_out([source("a", [7, 3]), source("b", [5])]) == [("b", 5), ("a", 7), ("a", 7)]


def test_a_record_without_a_time_follows_its_predecessor() -> None:
    assert given_out([source("a", [7, None]), source("b", [9])]) == [("a", 7), ("a", 7), ("b", 9)]


def test_a_record_without_a_time_before_all_events_of_its_topic_comes_first_and_has_none() -> None:
    before_1970, with_none = source("a", [None, -5]), source("b", [None])

    assert [topic for topic, _ in given_out([before_1970, with_none])] == ["a", "b", "a"]
    assert (before_1970.given_ms, with_none.given_ms) == (-5, None)


def test_a_topic_with_more_to_read_holds_back_what_is_later_than_its_last_record() -> None:
    ahead, behind = source("a", [1, 9]), source("b", [2, 4], more=1)

    assert given_out([ahead, behind]) == [("a", 1), ("b", 2)]
    assert (ahead.applied, behind.applied) == (1, 1)


def test_a_topic_that_delivers_nothing_is_waited_for_but_not_longer_than_max_idle() -> None:
    ready, silent = source("a", [1]), source("b", [], more=3)
    silent.note_empty_poll(10.0)

    assert given_out([ready, silent], now_s=10.49) == []
    assert given_out([ready, silent], now_s=10.5) == [("a", 1)]


def test_before_the_first_fetch_nothing_is_given_out_however_long_that_takes() -> None:
    ready, not_asked_yet = source("a", [1]), source("b", [], more=3)

    assert given_out([ready, not_asked_yet], now_s=1e9) == []


def test_by_default_a_topic_is_waited_for_a_minute() -> None:
    options = EngineOptions("app", "nowhere:1", ("a", "b"), "rows")
    ready, slow = source("a", [1]), source("b", [], more=3)
    slow.note_empty_poll(0.0)

    assert merge_ready([ready, slow], 59.9, options.max_idle_s) == []
    assert not slow.given_up
    assert len(merge_ready([ready, slow], 60.0, options.max_idle_s)) == 1
    assert slow.given_up


def test_a_topic_that_was_given_up_is_waited_for_again_when_records_come() -> None:
    ready, slow = source("a", [1, 8]), source("b", [], more=1)
    slow.note_empty_poll(0.0)
    given_out([ready, slow], now_s=9.0)
    more(slow, 7)

    assert not slow.given_up
    more(ready, 9)
    assert given_out([ready, slow], now_s=9.0) == [("b", 7), ("a", 9)]


def test_a_topic_read_to_its_end_holds_nothing_back_by_default() -> None:
    assert given_out([source("a", [1]), source("b", [])]) == [("a", 1)]


def test_with_a_merge_wait_each_record_waits_for_topics_at_their_end_but_no_longer() -> None:
    one, other = source("a", [5]), source("b", [])

    assert given_out([one, other], now_s=1.0, merge_wait_s=2.0) == []
    more(other, 4)
    assert given_out([one, other], now_s=2.0, merge_wait_s=2.0) == []
    assert given_out([one, other], now_s=3.0, merge_wait_s=2.0) == [("b", 4), ("a", 5)]
    more(one, 6)
    assert given_out([one, other], now_s=4.0, merge_wait_s=2.0) == []
    more(other, 7)
    assert (
        given_out([one, other], now_s=4.5, merge_wait_s=2.0) == []
    )  # topic a may still get a record of time 6
    assert given_out([one, other], now_s=6.0, merge_wait_s=2.0) == [("a", 6)]
    assert given_out([one, other], now_s=6.5, merge_wait_s=2.0) == [("b", 7)]


def test_in_a_history_the_merge_wait_begins_when_all_topics_were_sent_so_far() -> None:
    one, other = source("a", [5, 6, 7]), source("b", [1])

    def given(now_s: float, sent_until_ms: int) -> list[int]:
        released = merge_ready([one, other], now_s, 9.0, merge_wait_s=2.0, sent_until_ms=sent_until_ms)
        return [each.order_ms for each in released]

    assert given(0.0, sent_until_ms=1) == []
    assert given(1.0, sent_until_ms=5) == []  # topic b has come so far in another partition
    assert given(2.0, sent_until_ms=5) == [1]
    assert given(3.0, sent_until_ms=FOREVER_MS) == [5]  # b pauses
    assert given(4.9, sent_until_ms=FOREVER_MS) == []
    assert given(5.0, sent_until_ms=FOREVER_MS) == [6, 7]


def test_a_merge_wait_does_not_shorten_the_wait_for_a_topic_with_more_to_read() -> None:
    ready, silent = source("a", [1]), source("b", [], more=3)

    assert given_out([ready, silent], now_s=0.0, merge_wait_s=0.1) == []
    assert given_out([ready, silent], now_s=9.0, merge_wait_s=0.1) == []


def test_an_instant_is_read_to_its_end_even_where_the_buffer_is_full() -> None:
    one = source("a", [5, 5, 5], more=2, max_pending=3)

    assert given_out([one]) == []
    assert not one.full
    more(one, 5, 6)
    assert given_out([one]) == [("a", 5)] * 4 + [("a", 6)]


def test_an_instant_with_more_records_than_any_buffer_does_not_wait_for_ever() -> None:
    count = 3 * INSTANT_BUFFERS
    one = source("a", [5] * count, more=9, max_pending=3)

    assert one.full
    assert given_out([one]) == [("a", 5)] * count


def test_an_instant_is_not_cut_because_another_topic_has_no_room() -> None:
    one, other = source("a", [5], more=1), source("b", [5, 6, 7], more=9, max_pending=3)

    assert other.full
    assert given_out([one, other]) == []
    more(one, 5)
    assert given_out([one, other]) == [("a", 5), ("a", 5), ("b", 5), ("b", 6)]


def test_nothing_beyond_the_limit_is_given_out() -> None:
    assert given_out([source("a", [1, 10, 11])], limit_ms=10) == [("a", 1), ("a", 10)]


@given(st.lists(TIMES, min_size=1, max_size=4), st.data())
def test_any_cut_of_the_polls_gives_every_record_once_and_each_topic_in_its_order(
    topics: list[list[int]], data: st.DataObject
) -> None:
    sources = [Source(str(index), 0, 1000) for index in range(len(topics))]
    for each, times in zip(sources, topics, strict=True):
        each.highwater = len(times)
    out: list[Arrival] = []
    while any(each.expected < each.highwater for each in sources):
        chosen = data.draw(st.sampled_from([each for each in sources if each.expected < each.highwater]))
        until = data.draw(st.integers(chosen.expected + 1, chosen.highwater))
        times = topics[int(chosen.topic)]
        fetched = range(chosen.expected, until)
        chosen.add([Arrival(b"", times[at], None, chosen.topic, 0, at) for at in fetched], until)
        out += merge_ready(sources, 0.0, MAX_IDLE_S)

    for index, times in enumerate(topics):
        assert [each.offset for each in out if each.topic == str(index)] == list(range(len(times)))
    if all(times == sorted(times) for times in topics):
        assert [(each.order_ms, each.topic) for each in out] == sorted(
            (each.order_ms, each.topic) for each in out
        )
