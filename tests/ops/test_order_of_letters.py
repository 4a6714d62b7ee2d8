"""Dead letters are listed and sent again in the order in which their records arrived."""

from hypothesis import given
from hypothesis import strategies as st

from stream.ops.dead_letters import DeadLetterRecord, DeadLetterTopic
from stream.ops.redrive import selected_letters


def letter(offset: int, at_ms: int = 0) -> DeadLetterRecord:
    topic, why = "customers.feedback.v1", ("decode", "wrong_key", "", "1")
    return DeadLetterRecord(
        f"{topic}/0/{offset}", topic, 0, offset, *why, at_ms, key=b"c", value=b"", headers=(), cut=False
    )


@given(st.permutations(range(12)), st.lists(st.integers(0, 2), min_size=12, max_size=12).map(sorted))
def test_letters_of_one_partition_come_by_offset_also_from_9_to_10(order, times):
    letters = [letter(offset, times[offset]) for offset in order]

    found = selected_letters(DeadLetterTopic({each.id: each for each in letters}, set()), (), None, None)

    assert [each.offset for each in found] == [*range(12)]
