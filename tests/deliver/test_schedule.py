"""The schedule is that of Standard Webhooks: jitter only makes it longer, Retry-After is kept in full."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import FOREVER_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stream.deliver.plan.schedule import DELAYS_MS, asked_until_ms, next_attempt_ms

NOW_MS = 1_764_500_000_000
JITTER = st.floats(0, 1)


def attempts(jitter: float) -> list[int]:
    """The instants of all attempts of a delivery that always fails at once."""
    at_ms: int | None = NOW_MS
    instants: list[int] = []
    while at_ms is not None:
        instants.append(at_ms)
        at_ms = next_attempt_ms(len(instants), at_ms, jitter)
    return instants


def test_the_schedule_is_the_published_one_and_lasts_75_hours_35_minutes():
    instants = attempts(0)

    assert len(instants) == 10
    assert instants[-1] - instants[0] == 75 * HOUR_MS + 35 * MINUTE_MS + 5 * SECOND_MS


@given(JITTER)
def test_jitter_makes_each_delay_longer_by_at_most_a_tenth(jitter):
    gaps = [later - earlier for earlier, later in zip(attempts(jitter), attempts(jitter)[1:], strict=False)]

    for gap, delay in zip(gaps, DELAYS_MS[1:], strict=True):
        assert delay <= gap <= 1.1 * delay


@given(st.integers(1, 9), JITTER, st.integers(0, 10**9))
def test_the_endpoint_is_never_asked_before_its_retry_after(failures, jitter, wait_s):
    asked_ms = asked_until_ms(str(wait_s), NOW_MS)

    assert asked_ms == NOW_MS + wait_s * SECOND_MS
    assert next_attempt_ms(failures, NOW_MS, jitter, asked_ms) >= asked_ms  # type: ignore[operator]


@given(st.integers(1_000_000_000, 4_000_000_000))
def test_a_retry_after_may_be_a_date(seconds):
    text = format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)

    assert asked_until_ms(text, NOW_MS) == seconds * SECOND_MS


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣", "Mon, 99 Foo 2026", "1" * 3, "0"])
def test_a_retry_after_that_says_nothing_asks_for_nothing(text):
    asked_ms = asked_until_ms(text, NOW_MS)

    assert asked_ms == {"111": NOW_MS + 111_000, "0": NOW_MS}.get(text, 0)


@given(st.text(max_size=40))
def test_whatever_a_retry_after_holds_it_is_read(text):
    assert 0 <= asked_until_ms(text, NOW_MS) <= FOREVER_MS
