"""Records that are no events say nothing of the time: of a lane, of the group, of what came too late."""

import pytest

from tests.support.lane_pipe import ENGAGEMENT, PURCHASES, Pipe, event
from tests.support.toy_app import HOUR_MS

NO_EVENT = event("a", None)


@pytest.mark.parametrize("known", [[], [event("a", 0)]], ids=["its topic is new", "its topic has an event"])
def test_a_record_that_is_no_event_was_not_overtaken_and_an_event_was(known):
    pipe = Pipe()
    overtaken = pipe.delivery.progress.overtaken
    for each in known:
        pipe.feed(PURCHASES, each)
    pipe.feed(ENGAGEMENT, event("b", HOUR_MS))
    pipe.moments()
    pipe.feed(PURCHASES, NO_EVENT)
    pipe.moments()
    assert overtaken == set()

    pipe.feed(PURCHASES, NO_EVENT, event("a", 1))
    pipe.moments()
    assert overtaken == {PURCHASES}


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_record_that_is_no_event_says_nothing_of_the_time_also_after_a_restart(restarts):
    """Otherwise purchases count as silent since 1970, and everything else is held."""
    pipe = Pipe()
    pipe.feed(PURCHASES, NO_EVENT)
    pipe.moments()
    times = pipe.lane.clock_ms, pipe.delivery.progress.newest_ms
    for _ in range(restarts):
        pipe = Pipe(pipe.lane.commit_points())

    pipe.feed(ENGAGEMENT, event("b", 9 * HOUR_MS))
    pipe.moments()

    assert times == (None, None)
    assert (pipe.lane.stalled, pipe.lane.clock_ms) == (False, 9 * HOUR_MS)
