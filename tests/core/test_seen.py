"""Events are remembered by their ids for a while, so that a second delivery changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts.profile import SEEN_BYTES, SEEN_DAYS, SEEN_MAX, Profile, fingerprint, first_sight
from stream.core.units import DAY_MS

DAY = 20_000


def sight(profile, day, name):
    return first_sight(profile, day * DAY_MS + 5, fingerprint("shop", name))


@given(st.lists(st.tuples(st.integers(0, SEEN_DAYS), st.integers(0, 30)), max_size=60))
def test_within_the_days_kept_an_event_is_new_exactly_once_in_any_order(deliveries):
    profile, known = Profile("c"), set()

    for day, name in deliveries:
        assert sight(profile, DAY + day, str(name)) is (name not in known)
        known.add(name)


def test_what_is_older_than_the_days_kept_is_let_go():
    profile = Profile("c")
    sight(profile, DAY, "old")
    sight(profile, DAY + SEEN_DAYS, "at the bound")
    assert not sight(profile, DAY + SEEN_DAYS, "old")

    sight(profile, DAY + SEEN_DAYS + 1, "new")

    assert sight(profile, DAY + SEEN_DAYS + 1, "old")
    assert not sight(profile, DAY + SEEN_DAYS + 1, "at the bound")


def test_a_burst_pushes_the_oldest_out_and_no_more():
    profile = Profile("c")
    for number in range(SEEN_MAX + 1):
        assert sight(profile, DAY, str(number))

    assert len(profile.seen) == SEEN_MAX * SEEN_BYTES
    assert not sight(profile, DAY, "1")
    assert sight(profile, DAY, "0")
