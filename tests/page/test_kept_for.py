"""What took long to compute is kept for a while."""

from itertools import count

from stream.page.web.kept_for import KEPT_MAX, KeptFor


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def test_what_took_long_is_kept_for_its_time_and_then_made_anew():
    clock, made = Clock(), []
    kept = KeptFor(60, clock)

    def make():
        clock.now_s += 1.0
        made.append(clock.now_s)
        return len(made)

    assert [kept.get("a", make), kept.get("a", make), kept.get("b", make)] == [1, 1, 2]
    clock.now_s += 60.0
    assert kept.get("a", make) == 3


def test_what_is_quick_is_made_each_time():
    kept = KeptFor(60, Clock())
    numbers = count(1)

    assert [kept.get("a", lambda: next(numbers)) for _ in range(3)] == [1, 2, 3]


def test_no_more_is_kept_than_there_is_room_for():
    clock = Clock()
    kept = KeptFor(60, clock)

    def make():
        clock.now_s += 0.2
        return clock.now_s

    for number in range(3 * KEPT_MAX):
        kept.get(number, make)

    assert len(kept._found) <= KEPT_MAX
