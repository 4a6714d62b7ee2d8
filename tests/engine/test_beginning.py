"""Reading goes on where it was left, or not at all."""

import pytest

from stream.engine.beginning import check_fetch, check_rows, starting_marks
from stream.engine.delivery import Place
from stream.engine.failure import EngineError, Exit
from stream.engine.load import Mark
from tests.engine.test_lane import Pipe
from tests.engine.toy import TOPICS, Counters, ToyJob

A, B = Place("a", 0), Place("b", 0)
BY_A_WORKER, BY_HAND = Mark(7, 1, 1), Mark(0, None, None)
FIRST, LAST = {A: 2, B: 0}, {A: 9, B: 9}


def refused(work) -> str:
    with pytest.raises(EngineError) as failure:
        work()
    assert failure.value.code == Exit.DATA_LOSS
    return str(failure.value)


def test_what_was_never_committed_begins_at_the_first_record_there_is():
    assert starting_marks([A, B], {}, FIRST, LAST) == {A: (2, BY_HAND), B: (0, BY_HAND)}


def test_what_a_worker_committed_goes_on_there():
    committed = {A: (5, BY_A_WORKER), B: (9, BY_A_WORKER)}

    assert starting_marks([A, B], committed, FIRST, LAST) == committed


def test_an_offset_that_was_set_by_hand_for_one_topic_before_the_first_start_is_obeyed():
    marks = starting_marks([A, B], {A: (8, BY_HAND)}, FIRST, LAST)

    assert marks == {A: (8, BY_HAND), B: (0, BY_HAND)}


def test_an_offset_that_is_forgotten_while_others_are_not_is_a_topic_made_anew():
    told = refused(lambda: starting_marks([A, B], {A: (5, BY_A_WORKER)}, FIRST, LAST))

    assert told.startswith("b/0 was made anew")


@pytest.mark.parametrize("offset", [1, 10])
def test_an_offset_outside_of_the_log_is_refused(offset):
    committed = {A: (offset, BY_A_WORKER), B: (0, BY_A_WORKER)}

    assert "a/0 holds offsets 2 to 9" in refused(lambda: starting_marks([A, B], committed, FIRST, LAST))


def test_what_is_to_be_fetched_must_still_be_there():
    check_fetch({A: 2, B: 9}, FIRST, LAST)

    assert "records were deleted before they were read" in refused(lambda: check_fetch({A: 1}, FIRST, LAST))
    assert "made anew or cut" in refused(lambda: check_fetch({B: 10}, FIRST, LAST))


def check_forgotten(read: int, first: int, set_by_hand: bool = False) -> None:
    """Rows have `read` of the first topic, which begins at `first`; no offset of a worker is known."""
    place = Place(TOPICS[0], 0)
    pipe = Pipe({**dict.fromkeys(TOPICS, (0, BY_HAND)), place.topic: (first, BY_HAND)})
    pipe.table.recover([(b"a", ToyJob().dump(Counters("a", applied={place.topic: read})), None)])
    marks = {Place(topic, 0): (0, BY_HAND) for topic in TOPICS} | {place: (first, BY_HAND)}
    check_rows([pipe.lane], marks, dict.fromkeys(marks, 9), set() if set_by_hand else set(marks))


def test_records_that_were_deleted_unread_are_missed_also_when_the_group_s_offsets_expired():
    told = refused(lambda: check_forgotten(read=3, first=5))

    assert told.startswith("purchases/0 begins at 5, but rows have only what came before 3")
    assert "set the group's offsets" in told


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


def test_an_offset_of_one_input_that_was_set_by_hand_is_told(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    marks = {Place(topic, 0): (4, BY_A_WORKER) for topic in TOPICS} | {Place(TOPICS[1], 0): (2, BY_HAND)}

    check_rows([pipe.lane], marks, dict.fromkeys(marks, 9), set())

    assert caplog.messages == ["engagement/0: its offset was set by hand to 2"]
