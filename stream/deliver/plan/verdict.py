"""What an attempt means for its delivery: accepted, again later, or the end."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from stream.core.alerts.delivery import DeliveryOutcome
from stream.core.units import DAY_MS
from stream.deliver.plan.schedule import asked_until_ms, next_attempt_ms

Failure = Literal[
    "timeout", "dns", "address", "connect", "tls", "cut", "invalid", "status", "redirect", "refused"
]  # fmt: skip
"""
timeout   no whole answer in time
dns       the name of the host was not found, or the name service did not answer
address   an address that must not be reached (SSRF)
connect   nobody listens there, or the connection broke before an answer began
tls       the certificate is not trusted, has expired or is for another host
cut       the connection broke in the middle of the answer
invalid   what came is no HTTP answer
status    an answer with a status below 200 or above 399
redirect  an answer with a status of 300 to 399: redirects are not followed
refused   an answer of 200 to 299 in which the tool says that it did not take the alert
"""
FAILURES: tuple[Failure, ...] = get_args(Failure)

GONE = 410
HOLDING = frozenset({429, 503})
"""With these and a Retry-After the endpoint asks to be left alone, not only by this alert."""
HOLD_MAX_MS = DAY_MS
DISABLE_AFTER_MS = 5 * DAY_MS
"""An endpoint at which everything failed for so long is disabled ..."""
DISABLE_FAILURES_MIN = 20
"""... if it was asked at least so often meanwhile: two alerts that went through their schedule."""


class Answer(Struct, frozen=True):
    """What an attempt led to."""

    status: int = 0
    """HTTP status of a whole answer; 0 without one."""
    failure: Failure | None = None
    detail: str = ""
    """In words, for people; nothing of the alert."""
    retry_after: str = ""
    """The header of that name."""
    excerpt: str = ""
    """The beginning of the answer's body."""

    @property
    def accepted(self) -> bool:
        """Whether the endpoint has the alert now."""
        return self.failure is None and 200 <= self.status < 300


class Verdict(Struct, frozen=True):
    """What follows. Without outcome the delivery is due again at `due_ms`."""

    outcome: DeliveryOutcome | None = None
    due_ms: int = 0
    disable: str = ""
    """Not empty: the endpoint is disabled, and this is the reason."""
    hold_until_ms: int = 0
    """The endpoint asked to be left alone until then; 0: it did not."""


def verdict(answer: Answer, failures: int, expires_ms: int | None, at_ms: int, jitter: float) -> Verdict:
    """Of an attempt that ended at `at_ms`, after `failures` failed ones before it."""
    if answer.accepted:
        return Verdict("accepted")
    if answer.status == GONE:
        return Verdict("disabled", disable="the endpoint answered 410 (gone)")
    asked_ms = asked_until_ms(answer.retry_after, at_ms)
    hold_ms = min(asked_ms, at_ms + HOLD_MAX_MS) if answer.status in HOLDING and asked_ms > at_ms else 0
    due_ms = next_attempt_ms(failures + 1, at_ms, jitter, asked_ms)
    if due_ms is None:
        return Verdict("parked", hold_until_ms=hold_ms)
    if expires_ms is not None and due_ms >= expires_ms:
        return Verdict("expired", hold_until_ms=hold_ms)
    return Verdict(due_ms=due_ms, hold_until_ms=hold_ms)


def fails_too_long(failing_since_ms: int, failures: int, at_ms: int) -> bool:
    """Whether an endpoint that accepted nothing since an instant is to be disabled."""
    return at_ms - failing_since_ms >= DISABLE_AFTER_MS and failures >= DISABLE_FAILURES_MIN
