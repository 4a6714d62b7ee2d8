"""The histories that fits read hold the same facts as the worker's own step, also around an erasure."""

from __future__ import annotations

from itertools import permutations

import pytest

from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.fit.history import read_history
from stream.replay.run import replay
from tests.support.builders import basis, bought, erased, identified

INSTANT: tuple[Event, ...] = (erased(5, event_id="gone"), bought(5, event_id="b"), identified(5, "spring"))


@pytest.mark.parametrize("instant", list(permutations(INSTANT)))
@pytest.mark.parametrize("later", [[], [bought(9, 700, event_id="back")]], ids=["gone", "back"])
def test_what_happens_in_the_instant_of_an_erasure_makes_no_new_customer(instant, later):
    events = [bought(1, event_id="a"), *instant, *later]
    run, _ = replay(events, basis())

    found = read_history(events, (), Policy()).profiles

    assert facts_of(found) == facts_of(run.profiles)
    assert found["c"].buying.sums.orders == len(later)


def facts_of(profiles: dict[str, Profile]) -> dict[str, tuple[object, ...]]:
    return {name: (one.identity, one.buying, one.feedback, one.engagement) for name, one in profiles.items()}
