"""Timer times against the obvious: a dict and a sort."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.state.timers import Timers

KEYS = st.sampled_from([b"a", b"b", b"c"])
SETS = st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 20)))
POPS = st.integers(0, 20)
TAKES = st.tuples(KEYS, POPS, st.just("taken"))


@given(st.lists(st.one_of(SETS, POPS, TAKES), max_size=60))
def test_timers_come_once_each_in_order_of_time_whatever_was_set_or_taken_before(
    steps: list[tuple[bytes, int | None] | tuple[bytes, int, str] | int],
) -> None:
    timers, plain = Timers(), dict[bytes, int]()
    for step in steps:
        if isinstance(step, tuple) and len(step) == 3:
            key, until_ms, _ = step
            expected_ms = plain.pop(key) if plain.get(key, 99) <= until_ms else None
            assert timers.take(key, until_ms) == expected_ms
            continue
        if isinstance(step, tuple):
            key, at_ms = step
            timers.set(key, at_ms)
            plain.pop(key, None)
            if at_ms is not None:
                plain[key] = at_ms
            continue
        assert timers.count_until(step) == sum(at_ms <= step for at_ms in plain.values())
        popped = []
        while timer := timers.pop(step):
            popped.append(timer)
        expected = sorted((at_ms, key) for key, at_ms in plain.items() if at_ms <= step)
        assert popped == expected
        for _, key in expected:
            del plain[key]
    assert len(timers) == len(plain)


def test_a_timer_of_that_instant_comes_and_one_of_the_next_does_not() -> None:
    timers = Timers()
    timers.set_all({b"k": 10, b"l": 11})

    assert timers.pop(9) is None
    assert timers.pop(10) == (10, b"k")
    assert timers.pop(10) is None
