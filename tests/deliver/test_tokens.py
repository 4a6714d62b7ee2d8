"""The bucket: never more than the rate allows in any span, and one exactly when it says."""

from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import MINUTE_MS
from stream.deliver.plan.tokens import Rate, TokenBucket

NOW_MS = 1_764_500_000_000
RATES = st.builds(Rate, per_minute=st.integers(1, 100_000), burst=st.integers(1, 1_000))
GAPS = st.lists(st.integers(0, 90_000), min_size=1, max_size=60)


@given(RATES, GAPS)
def test_no_span_gives_more_than_a_burst_and_its_rate(rate, gaps):
    bucket, at_ms, taken = TokenBucket(rate, NOW_MS), NOW_MS, []
    for gap_ms in gaps:
        at_ms += gap_ms
        count = bucket.tokens(at_ms)
        bucket.take(count)
        taken.append((at_ms, count))

    for first in range(len(taken)):
        given = sum(count for _, count in taken[first:])
        span_ms = taken[-1][0] - taken[first][0]
        assert given <= rate.burst + span_ms * rate.per_minute / MINUTE_MS


@given(RATES, st.integers(1, 300))
def test_whoever_comes_when_it_says_always_gets_a_token_and_never_earlier(rate, count):
    bucket, at_ms = TokenBucket(rate, NOW_MS), NOW_MS
    for _ in range(rate.burst + count):
        due_ms = bucket.next_ms()
        assert due_ms == at_ms or bucket.tokens(due_ms - 1) == 0
        at_ms = due_ms
        assert bucket.tokens(at_ms) >= 1
        bucket.take(1)


def test_a_clock_that_is_set_back_brings_no_tokens():
    bucket = TokenBucket(Rate(60, 1), NOW_MS)
    bucket.tokens(NOW_MS)
    bucket.take(1)

    assert bucket.tokens(NOW_MS - MINUTE_MS) == 0
    assert bucket.tokens(NOW_MS - MINUTE_MS + 1_000) == 1
