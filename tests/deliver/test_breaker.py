"""The breaker leaves a failing endpoint alone, and finds out by one probe at a time whether it is back."""

from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import FOREVER_MS, MINUTE_MS, SECOND_MS
from stream.deliver.plan.breaker import PAUSE_MAX_MS, UNLIMITED, Breaker

NOW_MS = 1_764_500_000_000


def after(*results: bool, gap_ms: int = SECOND_MS) -> tuple[Breaker, int]:
    """A breaker after attempts with these results, and the instant of the last one."""
    breaker, at_ms = Breaker(), NOW_MS
    for accepted in results:
        breaker.finished(at_ms, accepted=accepted, probe=breaker.started(at_ms))
        at_ms += gap_ms
    return breaker, at_ms - gap_ms


def test_nine_failures_say_nothing_and_the_tenth_opens():
    assert after(*[False] * 9)[0].state(NOW_MS) == "closed"

    breaker, at_ms = after(*[False] * 10)

    assert breaker.state(at_ms) == "open"
    assert breaker.room(at_ms) == 0
    assert breaker.waits_until_ms(at_ms) == at_ms + 30 * SECOND_MS


def test_half_of_the_attempts_open_it_and_less_do_not():
    assert after(*[True] * 6, *[False] * 6)[0].room(NOW_MS) == 0
    assert after(*[True] * 6, *[False] * 5)[0].room(NOW_MS) == UNLIMITED


def test_failures_of_more_than_five_minutes_ago_are_forgotten():
    breaker, at_ms = after(*[False] * 9)
    breaker.finished(at_ms + 6 * MINUTE_MS, accepted=False, probe=False)

    assert breaker.state(at_ms + 6 * MINUTE_MS) == "closed"


def test_one_probe_at_a_time_and_each_failed_one_doubles_the_pause_up_to_a_quarter_of_an_hour():
    breaker, at_ms = after(*[False] * 10)
    pauses = []
    for _ in range(8):
        waited_ms = breaker.waits_until_ms(at_ms) - at_ms
        pauses.append(waited_ms // SECOND_MS)
        at_ms += waited_ms
        assert breaker.state(at_ms) == "half_open"
        assert breaker.room(at_ms) == 1
        assert breaker.started(at_ms)
        assert breaker.room(at_ms) == 0
        assert breaker.waits_until_ms(at_ms) == FOREVER_MS
        breaker.finished(at_ms, accepted=False, probe=True)

    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_an_accepted_probe_closes_it():
    breaker, at_ms = after(*[False] * 10)
    at_ms += 30 * SECOND_MS
    breaker.finished(at_ms, accepted=True, probe=breaker.started(at_ms))

    assert breaker.room(at_ms) == UNLIMITED


def test_an_attempt_that_began_before_it_opened_says_nothing():
    breaker, at_ms = after(*[False] * 10)
    breaker.finished(at_ms, accepted=True, probe=False)
    breaker.finished(at_ms, accepted=False, probe=False)

    assert breaker.waits_until_ms(at_ms) == at_ms + 30 * SECOND_MS


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20 * MINUTE_MS)), max_size=120))
def test_a_breaker_never_keeps_an_endpoint_away_for_longer_than_its_longest_pause(history):
    breaker, at_ms = Breaker(), NOW_MS
    for accepted, gap_ms in history:
        at_ms += gap_ms
        if breaker.room(at_ms):
            breaker.finished(at_ms, accepted=accepted, probe=breaker.started(at_ms))
        assert breaker.waits_until_ms(at_ms) <= at_ms + PAUSE_MAX_MS
        assert (breaker.room(at_ms) > 0) == (breaker.waits_until_ms(at_ms) <= at_ms)
