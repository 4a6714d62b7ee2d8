"""Timer times against the obvious: a dict and a sort."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.state.timers import Timers

KEYS = st.sampled_from([b"a", b"b", b"c"])
SETS = st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 20)))
POPS = st.integers(0, 20)


@given(st.lists(st.one_of(SETS, POPS), max_size=60))
def test_dues_come_once_each_in_order_of_time_whatever_was_set_before(
    steps: list[tuple[bytes, int | None] | int],
) -> None:
    dues, plain = Timers(), dict[bytes, int]()
    for step in steps:
        if isinstance(step, tuple):
            key, timer_ms = step
            dues.set(key, timer_ms)
            plain.pop(key, None)
            if timer_ms is not None:
                plain[key] = timer_ms
            continue
        popped = []
        while due := dues.pop(step):
            popped.append(due)
        expected = sorted((timer_ms, key) for key, timer_ms in plain.items() if timer_ms <= step)
        assert popped == expected
        for _, key in expected:
            del plain[key]
    assert len(dues) == len(plain)


def test_a_due_time_is_included_and_the_next_instant_is_not() -> None:
    dues = Timers()
    dues.load({b"k": 10, b"l": 11})

    assert dues.pop(9) is None
    assert dues.pop(10) == (10, b"k")
    assert dues.pop(10) is None
