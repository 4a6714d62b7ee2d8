"""How long records have waited, from when the end of the log was seen to grow."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from stream.worker.monitoring.waiting import FORGOTTEN_AFTER_S, MARKS_MAX, WaitingPartitions, WaitingRecords


def test_nothing_waits_when_all_is_applied():
    waiting = WaitingRecords()
    waiting.note(end=10, applied=10, now_s=100)

    assert waiting.seconds(applied=10, now_s=500) == 0


def test_a_record_has_waited_since_the_end_went_past_it():
    waiting = WaitingRecords()
    waiting.note(end=10, applied=0, now_s=100)
    waiting.note(end=20, applied=0, now_s=130)

    assert waiting.seconds(applied=0, now_s=140) == 40
    assert waiting.seconds(applied=9, now_s=140) == 40
    assert waiting.seconds(applied=10, now_s=140) == 10
    assert waiting.seconds(applied=20, now_s=140) == 0


def test_a_worker_that_keeps_up_has_a_lag_of_the_looks_at_most():
    waiting = WaitingRecords()
    for second in range(1_000):
        waiting.note(end=second * 50, applied=second * 50 - 20, now_s=second)

        assert waiting.seconds(second * 50 - 20, second) <= 1


steps = st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1)), min_size=1, max_size=700)


@given(steps)
def test_the_lag_is_never_less_than_the_truth_and_the_marks_are_few(steps):
    """The oracle remembers every look."""
    waiting, ends, end, applied = WaitingRecords(), [], 0, 0
    for now_s, (more, share) in enumerate(steps):
        end += more
        ends.append(end)
        waiting.note(end, applied, now_s)
        truth = 0 if applied >= end else now_s - bisect_right(ends, applied)

        assert waiting.seconds(applied, now_s) >= truth
        assert (waiting.seconds(applied, now_s) == 0) or applied < end
        assert len(waiting._marks) <= MARKS_MAX + 1
        if now_s < MARKS_MAX:
            assert waiting.seconds(applied, now_s) == truth
        applied += int((end - applied) * share / 50)


def test_partitions_are_forgotten_some_time_after_they_went_elsewhere():
    waiting = WaitingPartitions()
    waiting.note([(("t", 0), 5, 0), (("t", 1), 5, 0)], 0)
    waiting.note([(("t", 0), 5, 0)], FORGOTTEN_AFTER_S)

    assert waiting.seconds(("t", 1), 0, FORGOTTEN_AFTER_S) == FORGOTTEN_AFTER_S

    waiting.note([(("t", 0), 5, 0)], FORGOTTEN_AFTER_S + 1)

    assert waiting.seconds(("t", 1), 0, FORGOTTEN_AFTER_S + 1) == 0
    assert waiting.seconds(("t", 0), 0, FORGOTTEN_AFTER_S + 1) == FORGOTTEN_AFTER_S + 1
    assert waiting.seconds(("never", 7), 0, 9.0) == 0
