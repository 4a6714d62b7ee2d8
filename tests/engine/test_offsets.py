"""Reading goes on where it was left, or not at all."""

import pytest

from stream.engine.failure import EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.start.offsets import check_fetch, check_rows, starting_marks
from stream.engine.start.witnesses import WITNESSES
from stream.engine.task.batch import Mark
from tests.engine.test_lane import Pipe
from tests.support.toy_app import TOPICS, Counters, ToyCodec

A, B = PartitionId("a", 0), PartitionId("b", 0)
BY_A_WORKER, BY_HAND = Mark(7, 1, 1), Mark(0, None, None)
FIRST, LAST = {A: 2, B: 0}, {A: 9, B: 9}
OLD, NEW = "FanuN8pRSJ-tHmYrza4rUQ", "G3g82g0iTJaGTtXeOT0rwA"
PLACES = [PartitionId(topic, 0) for topic in TOPICS]


def refused(work) -> str:
    with pytest.raises(EngineError) as failure:
        work()
    assert failure.value.code == Exit.DATA_LOSS
    return str(failure.value)


def test_what_was_never_committed_begins_at_the_first_record_there_is():
    assert starting_marks([A, B], {}, FIRST, LAST, {}) == {A: (2, BY_HAND), B: (0, BY_HAND)}


def test_what_a_worker_committed_goes_on_there():
    committed = {A: (5, BY_A_WORKER), B: (9, BY_A_WORKER)}

    assert starting_marks([A, B], committed, FIRST, LAST, {}) == committed


def test_marks_carry_the_ids_of_their_topics_as_far_as_they_are_known():
    of_old = BY_A_WORKER._replace(topic_id=OLD)

    assert starting_marks([A], {}, FIRST, LAST, {"a": OLD})[A] == (2, BY_HAND._replace(topic_id=OLD))
    assert starting_marks([A], {A: (5, BY_A_WORKER)}, FIRST, LAST, {"a": OLD}) == {A: (5, of_old)}
    assert starting_marks([A], {A: (5, of_old)}, FIRST, LAST, {"a": OLD}) == {A: (5, of_old)}
    assert starting_marks([A], {A: (5, of_old)}, FIRST, LAST, {"b": NEW}) == {A: (5, of_old)}


def test_an_offset_of_another_topic_of_that_name_is_refused():
    committed = {A: (5, BY_A_WORKER._replace(topic_id=OLD)), B: (5, BY_A_WORKER._replace(topic_id=NEW))}

    told = refused(lambda: starting_marks([A, B], committed, FIRST, LAST, {"a": NEW, "b": NEW}))

    assert told.startswith("a was made anew: ")
    assert f"the topic with id {OLD}, and its id is {NEW} now" in told


def test_an_offset_that_was_set_by_hand_for_one_topic_before_the_first_start_is_obeyed():
    marks = starting_marks([A, B], {A: (8, BY_HAND)}, FIRST, LAST, {})

    assert marks == {A: (8, BY_HAND), B: (0, BY_HAND)}


def test_an_offset_that_is_forgotten_while_others_are_not_is_a_topic_made_anew():
    told = refused(lambda: starting_marks([A, B], {A: (5, BY_A_WORKER)}, FIRST, LAST, {}))

    assert told.startswith("b/0 was made anew")


@pytest.mark.parametrize("offset", [1, 10])
def test_an_offset_outside_of_the_log_is_refused(offset):
    committed = {A: (offset, BY_A_WORKER), B: (0, BY_A_WORKER)}

    assert "a/0 holds offsets 2 to 9" in refused(lambda: starting_marks([A, B], committed, FIRST, LAST, {}))


def test_what_is_to_be_fetched_must_still_be_there():
    check_fetch({A: 2, B: 9}, FIRST, LAST)

    assert "records were deleted before they were read" in refused(lambda: check_fetch({A: 1}, FIRST, LAST))
    assert "made anew or cut" in refused(lambda: check_fetch({B: 10}, FIRST, LAST))


def rows(had: dict[str, int]) -> Pipe:
    """A lane with such rows: key -> the next offset of the first topic."""
    pipe = Pipe()
    applied = {key: Counters(key, applied={PLACES[0].topic: offset}) for key, offset in had.items()}
    pipe.table.apply_changelog(
        [(key.encode(), ToyCodec().encode_row(row), None) for key, row in applied.items()]
    )
    return pipe


def says_nothing(_asked):
    return ()


def check_forgotten(read: int, first: int, set_by_hand: bool = False) -> None:
    """Rows have `read` of the first topic, which begins at `first`; no offset of a worker is known."""
    pipe = rows({"a": read} if read else {})
    marks = dict.fromkeys(PLACES, (0, BY_HAND)) | {PLACES[0]: (first, BY_HAND)}
    forgotten = set() if set_by_hand else set(marks)
    check_rows([pipe.lane], marks, dict.fromkeys(marks, 9), forgotten, says_nothing)


def test_records_that_were_deleted_unread_are_missed_also_when_the_group_s_offsets_expired():
    told = refused(lambda: check_forgotten(read=3, first=5))

    assert told.startswith("purchases/0 begins at 5, but rows have only what came before 3")
    assert "set the group's offsets" in told


def test_a_first_start_begins_where_the_topics_begin_now():
    check_forgotten(read=0, first=5)


def test_what_the_rows_had_read_may_be_deleted_and_who_sets_offsets_by_hand_has_the_last_word():
    check_forgotten(read=5, first=5)
    check_forgotten(read=3, first=5, set_by_hand=True)


def test_a_mark_comes_back_as_it_was_and_an_earlier_version_reads_its_part_of_it():
    mark = Mark(7, None, 5, rows=300)

    assert Mark.decode(mark.encode()) == mark
    assert Mark.decode(mark.encode() + "\0?") == mark, "what confluent-kafka writes behind it"
    assert mark.encode().partition(";")[0] == "7 - 5"
    assert Mark.decode("7 - 5;") == Mark.decode("7 - 5;\0x") == Mark(7, None, 5)
    assert Mark.decode("7 - 5;30") == Mark(7, None, 5), "half of it"


def test_a_mark_of_a_known_topic_comes_back_and_earlier_versions_read_their_part_of_it():
    mark = Mark(7, None, 5, rows=300, topic_id=OLD)

    assert Mark.decode(mark.encode()) == Mark.decode(mark.encode() + "\0?;") == mark
    assert mark.encode().startswith(mark._replace(topic_id="").encode()), "an earlier version reads so far"
    assert Mark.decode(mark.encode()[:-1]).topic_id == "", "half of it"
    assert Mark.decode(f"7 - 5;300;\0{OLD[1:]};").topic_id == "", "what lies behind an earlier version's"
    assert len(Mark(10**18, -(10**18), 10**18, 10**18, OLD).encode()) < 200, "Kafka takes 4,096"


def test_an_offset_of_one_input_that_was_set_by_hand_is_told(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    marks = {PartitionId(topic, 0): (4, BY_A_WORKER) for topic in TOPICS} | {
        PartitionId(TOPICS[1], 0): (2, BY_HAND)
    }

    check_rows([pipe.lane], marks, dict.fromkeys(marks, 9), set(), says_nothing)

    assert caplog.messages == ["engagement/0: its offset was set by hand to 2"]


def checked(pipe: Pipe, log: dict[int, bytes], by_hand: list[PartitionId]) -> dict[PartitionId, list[int]]:
    """Passes, or raises; the offsets that it asked for, of a first topic with these keys at its offsets."""
    asked = {}

    def keys_at(witnesses):
        asked.update({place: sorted(offsets) for place, offsets in witnesses.items() if offsets})
        for place, offsets in witnesses.items():
            yield from ((place, offset, log[offset]) for offset in offsets if offset in log)

    marks = {place: (4, BY_HAND if place in by_hand else BY_A_WORKER) for place in PLACES}
    check_rows([pipe.lane], marks, dict.fromkeys(PLACES, 99), set(), keys_at)
    return asked


def test_rows_whose_last_records_are_still_there_go_on_when_all_offsets_are_forgotten():
    pipe, log = rows({"a": 5, "b": 7, "c": 9}), {4: b"a", 6: b"b", 8: b"c"}

    assert checked(pipe, log, PLACES) == {PLACES[0]: [4, 6, 8]}
    assert checked(pipe, {6: b"b"}, PLACES), "compaction or a time limit took the others"
    assert checked(pipe, {4: b"x"}, by_hand=[]) == {}, "offsets of workers say more than rows"


@pytest.mark.parametrize("by_hand", [PLACES, PLACES[:1]])
def test_a_topic_that_has_another_key_where_a_row_had_its_last_record_was_made_anew(
    by_hand: list[PartitionId],
):
    told = refused(lambda: checked(rows({"a": 5, "b": 7, "c": 9}), {4: b"a", 6: b"b", 8: b"x"}, by_hand))

    assert told.startswith("purchases/0 holds another key's record at 8 than the one that was read there")
    assert "see the runbook" in told


def test_rows_that_are_ahead_of_an_input_whose_offset_was_set_by_hand_are_of_another_topic():
    assert "made anew or cut" in refused(lambda: checked(rows({"a": 100}), {}, PLACES[:1]))


def test_rows_that_the_workers_keep_for_themselves_are_no_witnesses():
    assert checked(rows({"\0model": 8, "a": 8, "c": 7, "\0other": 6}), {}, PLACES) == {PLACES[0]: [6, 7]}


def test_so_many_of_the_newest_are_asked_for():
    offsets = [17 * n % 97 + 1 for n in range(97)]  # each once, in no order
    pipe = rows({f"key{offset}": offset for offset in offsets})

    assert checked(pipe, {}, PLACES) == {PLACES[0]: list(range(97 - WITNESSES, 97))}
