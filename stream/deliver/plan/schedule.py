"""When a delivery that failed is attempted again: the schedule that Standard Webhooks recommends.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md ("Deliverability
and reliability"): ten attempts, the last 75 hours 35 minutes and 5 seconds after the first. Jitter only makes
a delay longer, so that the sum is a promise. An answer's `Retry-After` (RFC 9110, 10.2.3) is kept in full.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from stream.core.units import FOREVER_MS, HOUR_MS, MINUTE_MS, SECOND_MS

DELAYS_MS = (
    0, 5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS,
    2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 14 * HOUR_MS, 20 * HOUR_MS, 24 * HOUR_MS,
)  # fmt: skip
"""Before the first attempt, and after each failed one. Their number is that of the attempts."""
JITTER_MAX = 0.1
"""A delay becomes longer by up to this share of it."""
DIGITS_MAX = 12
"""Of seconds in a Retry-After; more are none that anybody means."""


def next_attempt_ms(failures: int, failed_ms: int, jitter: float, retry_after_ms: int = 0) -> int | None:
    """The instant of the next attempt after `failures` failed ones (1 or more), the last one at `failed_ms`.

    `jitter`: 0 to 1, drawn at random by the caller. `retry_after_ms`: the instant that the endpoint asked to
    be left alone until; 0 without one. None: there is no further attempt.
    """
    if failures >= len(DELAYS_MS):
        return None
    delay_ms = DELAYS_MS[failures]
    return max(failed_ms + delay_ms + int(delay_ms * JITTER_MAX * jitter), retry_after_ms)


def asked_until_ms(retry_after: str, at_ms: int) -> int:
    """The instant that a `Retry-After` names: whole seconds after `at_ms`, or a date. 0: it names none."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(at_ms + int(text[:DIGITS_MAX]) * SECOND_MS, FOREVER_MS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
    return max(0, round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()) * SECOND_MS)
