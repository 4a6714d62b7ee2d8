"""The ends that a delivery (one alert for one endpoint) can have: a closed set; each has a metric."""

from __future__ import annotations

from typing import Literal, get_args

from stream.core.alerts.delivery import DeliveryOutcome

OUTCOMES: tuple[DeliveryOutcome, ...] = get_args(DeliveryOutcome)

SuppressedBy = Literal["consent", "budget", "quiet_hours", "holdout", "filter", "history", "erased", "muted"]
"""
quiet_hours  the alert expires before the quiet hours are over
holdout      the customer is in the arm of the experiment that gets nothing; it would have been sent then
filter       the endpoint's filter leaves such alerts out
history      the alert was written long after its time: a replay or a back-fill of old events
erased       the customer was erased; only the end of an episode is sent after that
consent      the customer's consent does not allow what the alert recommends
budget       the alert expires before the contact budget of the customer has room
muted        nothing about the customer may reach anybody: snoozed, staff, test, wholesale
"""
SUPPRESSED_BY: tuple[SuppressedBy, ...] = get_args(SuppressedBy)

ON_PURPOSE: frozenset[str] = frozenset({"holdout", "filter", "history", "consent", "erased", "muted"})
"""Reasons of `suppressed` that somebody asked for."""


def is_undelivered(outcome: str, reason: str) -> bool:
    """Whether an alert should have arrived and did not: parked, expired, disabled, or held by a limit."""
    if outcome == "suppressed":
        return reason not in ON_PURPOSE
    return outcome in {"parked", "expired", "disabled"}
