"""Events are remembered by their ids for a while, so that a second delivery changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts.seen import SEEN_BYTES, SEEN_DAYS, SEEN_MAX, fingerprint, with_event
from stream.core.units import DAY_MS

DAY = 20_000


class Memory:
    """The events that one customer's profile remembers."""

    def __init__(self) -> None:
        self.seen = b""

    def is_new(self, day: int, name: str) -> bool:
        seen = with_event(self.seen, day * DAY_MS + 5, fingerprint("shop", name))
        self.seen = self.seen if seen is None else seen
        return seen is not None


@given(st.lists(st.tuples(st.integers(0, SEEN_DAYS), st.integers(0, 30)), max_size=60))
def test_within_the_days_kept_an_event_is_new_exactly_once_in_any_order(deliveries):
    memory, known = Memory(), set()

    for day, name in deliveries:
        assert memory.is_new(DAY + day, str(name)) is (name not in known)
        known.add(name)


def test_an_id_older_than_the_days_kept_is_dropped():
    memory = Memory()
    memory.is_new(DAY, "old")
    memory.is_new(DAY + SEEN_DAYS, "at the bound")
    assert not memory.is_new(DAY + SEEN_DAYS, "old")

    memory.is_new(DAY + SEEN_DAYS + 1, "new")

    assert memory.is_new(DAY + SEEN_DAYS + 1, "old")
    assert not memory.is_new(DAY + SEEN_DAYS + 1, "at the bound")


def test_a_burst_drops_the_oldest_id_only():
    memory = Memory()
    for number in range(SEEN_MAX + 1):
        assert memory.is_new(DAY, str(number))

    assert len(memory.seen) == SEEN_MAX * SEEN_BYTES
    assert not memory.is_new(DAY, "1")
    assert memory.is_new(DAY, "0")
