"""Due times against the obvious: a dict and a sort."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.state.timers import Dues

KEYS = st.sampled_from([b"a", b"b", b"c"])
SETS = st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 20)))
POPS = st.integers(0, 20)


@given(st.lists(st.one_of(SETS, POPS), max_size=60))
def test_dues_come_once_each_in_order_of_time_whatever_was_set_before(
    steps: list[tuple[bytes, int | None] | int],
) -> None:
    dues, plain = Dues(), dict[bytes, int]()
    for step in steps:
        if isinstance(step, tuple):
            key, due_ms = step
            dues.set(key, due_ms)
            plain.pop(key, None)
            if due_ms is not None:
                plain[key] = due_ms
            continue
        popped = []
        while due := dues.pop(step):
            popped.append(due)
        expected = sorted((due_ms, key) for key, due_ms in plain.items() if due_ms <= step)
        assert popped == expected
        for _, key in expected:
            del plain[key]
    assert len(dues) == len(plain)


def test_a_due_time_is_included_and_the_next_instant_is_not() -> None:
    dues = Dues()
    dues.load({b"k": 10, b"l": 11})

    assert dues.pop(9) is None
    assert dues.pop(10) == (10, b"k")
    assert dues.pop(10) is None
