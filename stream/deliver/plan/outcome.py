"""The ends that a delivery (one alert for one endpoint) can have: a closed set; each has a metric."""

from __future__ import annotations

from typing import Literal, get_args

DeliveryOutcome = Literal["accepted", "parked", "expired", "superseded", "suppressed", "disabled"]
"""
accepted    the endpoint answered with a status of 200 to 299
parked      every attempt of the schedule failed
expired     the alert's `expirytime` came first; nothing is sent after it
superseded  the episode ended before its first attempt: neither its alerts nor its end are sent
suppressed  it was not to be sent; `SuppressedBy` says why
disabled    the endpoint was disabled; the alert is kept, and `stream deliver resend` sends it
"""
OUTCOMES: tuple[DeliveryOutcome, ...] = get_args(DeliveryOutcome)

SuppressedBy = Literal["consent", "budget", "quiet_hours", "holdout", "filter", "history"]
"""
quiet_hours  the alert expires before the quiet hours are over
holdout      the customer is in the arm of the experiment that gets nothing; it would have been sent then
filter       the endpoint's filter leaves such alerts out
history      the alert was written long after its time: a replay or a back-fill of old events
consent, budget: words for later; nothing is suppressed by them yet
"""
SUPPRESSED_BY: tuple[SuppressedBy, ...] = get_args(SuppressedBy)

ON_PURPOSE: frozenset[str] = frozenset({"holdout", "filter", "history", "consent"})
"""Reasons of `suppressed` that somebody asked for."""


def is_undelivered(outcome: str, reason: str) -> bool:
    """Whether an alert should have arrived and did not: parked, expired, disabled, or held by a limit."""
    if outcome == "suppressed":
        return reason not in ON_PURPOSE
    return outcome in {"parked", "expired", "disabled"}
