"""Start offsets: reading goes on where it ended, or the worker stops with a reason."""

from collections.abc import Callable, Collection, Iterable, Mapping

import pytest

from stream.engine.failure import EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.start.offsets import check_fetch, check_rows, start_points
from stream.engine.start.spot_check import CHECKS_MAX
from stream.engine.task.commit_point import CommitPoint
from tests.support.lane_pipe import TPS, Pipe
from tests.support.toy_app import Counters, ToyCodec

A, B = PartitionId("a", 0), PartitionId("b", 0)
FIRST, LAST = {A: 2, B: 0}, {A: 9, B: 9}
OLD, NEW = "FanuN8pRSJ-tHmYrza4rUQ", "G3g82g0iTJaGTtXeOT0rwA"


def by_worker(offset: int, topic_id: str = "") -> CommitPoint:
    return CommitPoint(offset, flush=7, clock_ms=1, given_ms=1, topic_id=topic_id)


def by_hand(offset: int, topic_id: str = "") -> CommitPoint:
    return CommitPoint(offset, topic_id=topic_id)


def reason(work: Callable[[], object]) -> str:
    """Why it stops the worker."""
    with pytest.raises(EngineError) as failure:
        work()
    assert failure.value.code == Exit.DATA_LOSS
    return str(failure.value)


def test_what_was_never_committed_starts_at_the_first_record_there_is():
    assert start_points([A, B], {}, FIRST, LAST, {}) == {A: by_hand(2), B: by_hand(0)}


def test_reading_goes_on_where_a_worker_committed():
    committed = {A: by_worker(5), B: by_worker(9)}

    assert start_points([A, B], committed, FIRST, LAST, {}) == committed


@pytest.mark.parametrize(
    ("committed", "ids", "expected"),
    [
        ({}, {"a": OLD}, by_hand(2, OLD)),
        ({A: by_worker(5)}, {"a": OLD}, by_worker(5, OLD)),
        ({A: by_worker(5, OLD)}, {"a": OLD}, by_worker(5, OLD)),
        ({A: by_worker(5, OLD)}, {"b": NEW}, by_worker(5, OLD)),
    ],
    ids=["a first start", "an id that was not known", "the same id", "no answer about this topic"],
)
def test_start_points_carry_the_ids_of_their_topics_as_far_as_they_are_known(committed, ids, expected):
    assert start_points([A], committed, FIRST, LAST, ids) == {A: expected}


def test_an_offset_of_another_topic_of_that_name_is_refused():
    committed = {A: by_worker(5, OLD), B: by_worker(5, NEW)}

    text = reason(lambda: start_points([A, B], committed, FIRST, LAST, {"a": NEW, "b": NEW}))

    assert text.startswith("a was created again: ")
    assert f"the topic that was read had the id {OLD}, this one has {NEW};" in text


def test_an_offset_that_was_set_by_hand_for_one_topic_before_the_first_start_is_used():
    points = start_points([A, B], {A: by_hand(8)}, FIRST, LAST, {})

    assert points == {A: by_hand(8), B: by_hand(0)}


def test_a_topic_whose_offset_is_forgotten_while_others_are_not_was_created_again():
    text = reason(lambda: start_points([A, B], {A: by_worker(5)}, FIRST, LAST, {}))

    assert text.startswith("b/0 was created again")


@pytest.mark.parametrize("offset", [1, 10])
def test_an_offset_outside_of_the_log_is_refused(offset):
    committed = {A: by_worker(offset), B: by_worker(0)}

    assert "a/0 holds offsets 2 to 9" in reason(lambda: start_points([A, B], committed, FIRST, LAST, {}))


def test_what_is_to_be_fetched_must_still_be_there():
    check_fetch({A: 2, B: 9}, FIRST, LAST)

    assert "records were deleted before they were read" in reason(lambda: check_fetch({A: 1}, FIRST, LAST))
    assert "created again or cut" in reason(lambda: check_fetch({B: 10}, FIRST, LAST))


def rows(applied: dict[str, int]) -> Pipe:
    """A lane with such rows: key -> the next offset of the first topic."""
    pipe = Pipe()
    states = [Counters(key, applied={TPS[0].topic: offset}) for key, offset in applied.items()]
    pipe.table.apply_changelog([(state.key.encode(), ToyCodec().encode_row(state), None) for state in states])
    return pipe


def no_keys(_asked: object) -> tuple[()]:
    return ()


def check_forgotten(read: int, first: int, set_by_hand: bool = False) -> None:
    """Rows have `read` of the first topic, which begins at `first`; no worker has committed an offset."""
    pipe = rows({"a": read} if read else {})
    points = dict.fromkeys(TPS, by_hand(0)) | {TPS[0]: by_hand(first)}
    forgotten = set() if set_by_hand else set(points)
    check_rows([pipe.lane], points, dict.fromkeys(points, 9), forgotten, no_keys)


def test_records_that_were_deleted_unread_are_missed_also_when_the_group_s_offsets_expired():
    text = reason(lambda: check_forgotten(read=3, first=5))

    assert text.startswith("purchases/0: the records from 3 to 4 are missing.")
    assert "set the group's offsets" in text


def test_a_first_start_begins_where_the_topics_begin_now():
    check_forgotten(read=0, first=5)


def test_records_that_rows_have_read_may_be_deleted_and_offsets_set_by_hand_are_always_obeyed():
    check_forgotten(read=5, first=5)
    check_forgotten(read=3, first=5, set_by_hand=True)


def test_an_offset_of_one_input_that_was_set_by_hand_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = rows({"a": 3})
    points = dict.fromkeys(TPS, by_worker(4)) | {TPS[1]: by_hand(2)}

    check_rows([pipe.lane], points, dict.fromkeys(points, 9), set(), no_keys)

    assert caplog.messages == ["engagement/0: its offset was set by hand to 2"]


@pytest.mark.parametrize(
    "applied", [{"a": 5}, {}], ids=["rows have read beyond it", "the row that has read it is deleted"]
)
def test_an_input_that_was_set_back_without_the_others_is_refused(applied: dict[str, int]) -> None:
    points = dict.fromkeys(TPS, by_worker(6)) | {TPS[0]: by_hand(0)}

    with pytest.raises(EngineError) as failure:
        check_rows([rows(applied).lane], points, dict.fromkeys(points, 9), set(), no_keys)

    assert failure.value.code == Exit.CONFIGURATION
    assert str(failure.value).startswith("purchases/0: its offset was set back by hand to 0")
    assert "those of engagement, feedback were not" in str(failure.value)
    assert "all inputs together" in str(failure.value)


def test_inputs_that_were_all_set_back_come_again() -> None:
    points = dict.fromkeys(TPS, by_hand(0))

    check_rows([rows({"a": 5}).lane], points, dict.fromkeys(points, 9), set(), no_keys)


def checked(
    pipe: Pipe, log: dict[int, bytes], set_by_hand: list[PartitionId]
) -> dict[PartitionId, list[int]]:
    """The offsets that were spot-checked, if the check passes. `log`: offset -> key in the first topic."""
    asked = {}

    def keys_at(
        last_keys: Mapping[PartitionId, Collection[int]],
    ) -> Iterable[tuple[PartitionId, int, bytes]]:
        asked.update({tp: sorted(offsets) for tp, offsets in last_keys.items() if offsets})
        for tp, offsets in last_keys.items():
            yield from ((tp, offset, log[offset]) for offset in offsets if offset in log)

    points = {tp: by_hand(4) if tp in set_by_hand else by_worker(4) for tp in TPS}
    check_rows([pipe.lane], points, dict.fromkeys(TPS, 99), set(), keys_at)
    return asked


def test_rows_whose_last_records_are_still_there_go_on_when_all_offsets_are_forgotten():
    pipe, log = rows({"a": 5, "b": 7, "c": 9}), {4: b"a", 6: b"b", 8: b"c"}

    assert checked(pipe, log, TPS) == {TPS[0]: [4, 6, 8]}
    assert checked(pipe, {6: b"b"}, TPS), "compaction or retention may have removed the others"
    assert checked(pipe, {4: b"x"}, []) == {}, "no check where workers have committed"


@pytest.mark.parametrize("set_by_hand", [TPS, TPS[:1]])
def test_a_topic_with_another_key_where_a_row_had_its_last_record_was_created_again(set_by_hand):
    pipe, log = rows({"a": 5, "b": 7, "c": 9}), {4: b"a", 6: b"b", 8: b"x"}

    text = reason(lambda: checked(pipe, log, set_by_hand))

    assert text.startswith("purchases/0 holds another key's record at 8 than the one that was read there")
    assert "see the runbook" in text


def test_rows_that_are_ahead_of_an_input_whose_offset_was_set_by_hand_are_of_another_topic():
    assert "created again or cut" in reason(lambda: checked(rows({"a": 100}), {}, TPS[:1]))


def test_rows_that_workers_keep_for_themselves_are_not_checked():
    assert checked(rows({"\0model": 8, "a": 8, "c": 7, "\0other": 6}), {}, TPS) == {TPS[0]: [6, 7]}


def test_only_the_newest_records_are_checked():
    offsets = [17 * n % 97 + 1 for n in range(97)]  # each of 1 to 97 once, in no order
    pipe = rows({f"key{offset}": offset for offset in offsets})

    assert checked(pipe, {}, TPS) == {TPS[0]: list(range(97 - CHECKS_MAX, 97))}
