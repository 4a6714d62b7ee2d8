"""The contact budget, pure: never more contacts than it allows, and the most at stake goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import DAY_MS
from stream.deliver.plan.contact import YIELD_MS, Budget, Rival, room_ms

NOW = 100 * DAY_MS
WEEK = Budget(2, 7 * DAY_MS)
OWN = Rival(5, 1_000, "own")
TIMES = st.integers(NOW - 20 * DAY_MS, NOW)


def room(sent=(), rivals=(), budget=WEEK, own=OWN):
    return room_ms(budget, own, {f"e{n}": at for n, at in enumerate(sent)}, rivals, NOW)


def test_there_is_room_until_the_budget_is_used_up():
    assert room() == room([NOW - DAY_MS]) == NOW
    assert room([NOW - DAY_MS, NOW - 3 * DAY_MS]) == NOW + 4 * DAY_MS
    assert room([NOW - DAY_MS, NOW - 8 * DAY_MS]) == NOW


def test_an_episode_that_was_a_contact_needs_no_room_again():
    assert room_ms(WEEK, OWN, {"own": NOW - 1, "e1": NOW - 2}, [], NOW) == NOW


def test_of_two_for_one_room_the_one_with_more_at_stake_goes_first():
    one_left = [NOW - DAY_MS]

    assert room(one_left, [Rival(9, 2_000, "other")]) == NOW + YIELD_MS
    assert room(one_left, [Rival(9, 500, "other")]) == NOW
    assert room(one_left, [Rival(4, 1_000, "other")]) == NOW + YIELD_MS, "as much at stake, and read earlier"
    assert room([], [Rival(9, 2_000, "other")]) == NOW, "there is room for both"


@given(st.lists(TIMES, max_size=6), st.integers(1, 4), st.integers(1, 10))
def test_when_there_is_room_the_window_holds_fewer_than_the_budget(sent, most, days):
    budget = Budget(most, days * DAY_MS)

    at_ms = room(sent, budget=budget)

    assert at_ms >= NOW
    assert sum(at_ms - budget.window_ms < each for each in sent) < most
    if at_ms > NOW:
        assert sum(at_ms - 1 - budget.window_ms < each for each in sent) >= most, "and not a moment later"


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6, unique=False), st.integers(1, 3))
def test_of_those_that_wait_exactly_as_many_as_there_is_room_for_go(stakes, most):
    waiting = [Rival(seq, stake, f"w{seq}") for seq, stake in enumerate(stakes)]

    go = [
        own
        for own in waiting
        if room([], [each for each in waiting if each != own], Budget(most, DAY_MS), own) == NOW
    ]

    assert len(go) == min(most, len(waiting))
    assert sorted(each.at_stake_minor for each in go) == sorted(stakes)[-len(go) :]
