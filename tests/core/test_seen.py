"""Events are remembered by their ids, and of what is forgotten it is remembered how far it reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import SessionStarted
from stream.core.facts import seen
from stream.core.facts.profile import Profile
from stream.core.facts.seen import (
    ANY_KIND,
    FORGOTTEN_BYTES,
    FORGOTTEN_MAX,
    KIND_BYTES,
    SEEN_BYTES,
    SEEN_DAYS,
    SEEN_MAX,
    SEEN_MIN,
    SPARE,
    kind_mark,
    take_in,
    with_kinds,
)
from stream.core.units import DAY_MS

DAY = 20_000
HOUR_MS = 3_600_000


class Memory:
    """The events that one customer's profile remembers."""

    def __init__(self) -> None:
        self.profile = Profile("c")

    def fate(self, at_ms: int, name: str, kind: str = "view") -> str:
        """`known`, `unsure` or `new`; what is new is remembered. The kinds are the sources of one type."""
        is_new = take_in(self.profile, SessionStarted, kind, name, at_ms)
        self.profile.events += is_new is True
        return {True: "new", False: "known", None: "unsure"}[is_new]

    @property
    def count(self) -> int:
        return len(self.profile.seen) // SEEN_BYTES


def day_ms(day: int) -> int:
    return (DAY + day) * DAY_MS + 5


@given(st.lists(st.tuples(st.integers(0, SEEN_DAYS), st.integers(0, 30)), max_size=60))
def test_within_the_days_kept_an_event_is_new_exactly_once_in_any_order(deliveries):
    memory, known = Memory(), set()

    for day, name in deliveries:
        assert memory.fate(day_ms(day), str(name)) == ("known" if name in known else "new")
        known.add(name)


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, SEEN_MIN - 1)), max_size=90))
def test_a_customer_of_few_events_has_each_of_them_once_whatever_their_age_and_order(deliveries):
    memory, known = Memory(), set()

    for day, name in deliveries:
        assert memory.fate(day_ms(day), str(name)) == ("known" if name in known else "new")
        known.add(name)


KINDS = st.sampled_from(("view", "visit", "review"))
LIVES = st.lists(st.tuples(st.integers(0, 60 * 24), st.integers(0, 40), KINDS), max_size=120)


def little(patch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can reach."""
    bounds = {"SEEN_MIN": 2, "SEEN_MAX": 6, "SPARE": 2, "FORGOTTEN_MAX": 2, "CROWDED": 36, "ROUND": 18}
    for name, value in bounds.items():
        patch.setattr(seen, name, value)


@given(LIVES)
def test_nothing_is_new_twice_in_whatever_order_and_however_late_it_comes(deliveries):
    with pytest.MonkeyPatch.context() as patch:
        little(patch)
        memory, known = Memory(), set()
        for hour, name, kind in deliveries:
            at_ms = day_ms(0) + (hour + name) * HOUR_MS
            event = (f"{name}-{hour}-{kind}", kind)
            assert (memory.fate(at_ms, *event) == "new") <= (event not in known)
            known.add(event)


@given(LIVES)
def test_what_comes_in_order_of_time_is_new_once_and_never_unsure(deliveries):
    with pytest.MonkeyPatch.context() as patch:
        little(patch)
        memory = Memory()
        for number, (hour, _, kind) in enumerate(sorted(deliveries)):
            assert memory.fate(day_ms(0) + hour * HOUR_MS + number * 400_000, f"{number}", kind) == "new"


@given(LIVES)
def test_a_history_of_another_kind_is_new_however_late_it_is_sent(deliveries):
    """As long as it is sent in order of time itself."""
    with pytest.MonkeyPatch.context() as patch:
        little(patch)
        patch.setattr(seen, "FORGOTTEN_MAX", 3)
        memory = Memory()
        for number in range(50):
            memory.fate(day_ms(400 + number), f"live-{number}", "purchase")
        late = [(hour, number) for number, (hour, _, kind) in enumerate(sorted(deliveries)) if kind == "view"]
        for hour, number in late:
            assert memory.fate(day_ms(0) + hour * HOUR_MS + number * 400_000, f"{number}", "view") == "new"


def test_an_id_older_than_the_days_kept_is_dropped_when_there_are_enough_and_then_it_is_unsure():
    memory = Memory()
    for number in range(SEEN_MIN + SPARE):
        memory.fate(day_ms(0), f"old-{number}")
    memory.fate(day_ms(SEEN_DAYS), "at the bound")
    assert memory.fate(day_ms(0), "old-0") == "known"
    for number in range(SPARE - 1):
        memory.fate(day_ms(SEEN_DAYS), f"within-{number}")

    memory.fate(day_ms(SEEN_DAYS + 1), "new")

    assert memory.count == SEEN_MIN + 1
    assert memory.fate(day_ms(0), "old-0") == "unsure"
    assert memory.fate(day_ms(0), "another", "visit") == "new"
    assert memory.fate(day_ms(1), "later", "view") == "new"
    assert memory.fate(day_ms(SEEN_DAYS), "at the bound") == "known"


def test_a_burst_drops_the_ids_that_arrived_first():
    memory = Memory()
    for number in range(SEEN_MAX + SPARE + 1):
        assert memory.fate(day_ms(0) + number * HOUR_MS // 12, str(number)) == "new"

    assert memory.count == SEEN_MAX + 1
    assert memory.fate(day_ms(0) + SPARE * HOUR_MS // 12, str(SPARE)) == "known"
    assert memory.fate(day_ms(0), "0") == "unsure"
    assert memory.fate(day_ms(0) + SEEN_MAX * HOUR_MS // 12, "late, but after all that is gone") == "new"


def test_of_too_many_kinds_the_earliest_count_as_any_kind():
    memory = Memory()
    for number in range(SEEN_MIN + SPARE):
        memory.fate(day_ms(0), f"{number}", f"kind {number}")
    for number in range(FORGOTTEN_MAX * 2):
        memory.fate(day_ms(20 + number), f"later-{number}", f"further kind {number}")

    forgotten = memory.profile.forgotten
    assert len(forgotten) == FORGOTTEN_MAX * FORGOTTEN_BYTES
    assert memory.fate(day_ms(0), "0", "kind 0") == "unsure"
    assert memory.fate(day_ms(0), "x", "a kind that never was") == "unsure"
    assert memory.fate(day_ms(2_000), "y", "kind 0") == "new"


def row_of_version_1(ids: int, events: int, days_apart: int = 0) -> Memory:
    memory = Memory()
    for number in range(ids):
        memory.fate(day_ms(number * days_apart), str(number))
    memory.profile.seen_kinds, memory.profile.events = b"", events
    with_kinds(memory.profile)
    return memory


def test_a_row_of_version_1_that_never_dropped_an_id_is_sure_of_everything():
    memory = row_of_version_1(5, 5, days_apart=1)

    assert memory.profile.forgotten == b""
    assert memory.fate(day_ms(0), "0") == "known"
    assert memory.fate(day_ms(-900), "older") == "new"


@pytest.mark.parametrize("apart_ms", [0, 1, 60, 500])
def test_a_burst_in_order_of_time_is_never_unsure(apart_ms):
    memory = Memory()

    fates = [memory.fate(day_ms(0) + number * apart_ms, str(number)) for number in range(SEEN_MAX + 1_000)]

    assert set(fates) == {"new"}
    assert memory.count <= SEEN_MAX + 2 * seen.SPARE


def test_what_comes_again_after_a_burst_is_not_added():
    memory = Memory()
    for number in range(2 * SEEN_MAX):
        memory.fate(day_ms(0) + number * 1_000, str(number))

    assert memory.fate(day_ms(0), "0") == "unsure"
    assert memory.fate(day_ms(0) + (2 * SEEN_MAX - 1) * 1_000, str(2 * SEEN_MAX - 1)) == "known"


def test_a_row_of_version_1_has_dropped_what_is_older_than_its_days_of_any_kind():
    memory = row_of_version_1(5, 90, days_apart=1)  # the newest is of day 4

    assert memory.fate(day_ms(0), "0") == "known"
    assert memory.fate(day_ms(4 - SEEN_DAYS), "within the days", "visit") == "new"
    assert memory.fate(day_ms(4 - SEEN_DAYS - 1), "before them", "visit") == "unsure"


def test_a_row_of_version_1_with_as_many_ids_as_it_could_keep_may_have_dropped_any():
    memory = row_of_version_1(SEEN_MAX, SEEN_MAX + 1)

    assert memory.fate(day_ms(0), "new", "visit") == "unsure"
    assert memory.fate(day_ms(1), "new", "visit") == "new"


def test_ids_and_kinds_stay_side_by_side():
    memory = Memory()
    for number in range(500):
        memory.fate(day_ms(number // 3), str(number), f"kind {number % 7}")
        assert len(memory.profile.seen_kinds) // KIND_BYTES == memory.count


def test_no_kind_has_the_mark_of_any_kind():
    assert ANY_KIND not in {kind_mark(f"kind {number}", "/shop") for number in range(100_000)}
