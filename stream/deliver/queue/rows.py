"""What goes into the queue and comes out of it."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from stream.core.alerts.delivery import DeliveryOutcome
from stream.deliver.plan.head import AlertHead

Outcomes = Counter[tuple[str, str, str]]
"""Endpoint, outcome, reason: how many deliveries ended so."""


class ReadAlert(Struct, frozen=True):
    """A record of the alerts topic, or why it is no alert."""

    partition: int
    offset: int
    written_ms: int
    """When the broker stored it; the time of reading where the broker does not say."""
    body: bytes = b""
    head: AlertHead | None = None
    fault: str = ""
    """In words, where it is no alert."""


class ReadErasure(Struct, frozen=True):
    """A record of the control topic that erases a customer."""

    partition: int
    offset: int
    customer: str
    at_ms: int
    """Event time."""


class ReadMute(Struct, frozen=True):
    """A record of the control topic that mutes or unmutes a customer."""

    partition: int
    offset: int
    customer: str
    at_ms: int
    """Event time."""
    until_ms: int
    """FOREVER_MS: for ever; 0: the customer is unmuted."""
    reason: str = ""


class ReadConsent(Struct, frozen=True):
    """A record of the control topic by which a customer gives or takes back consent to a purpose."""

    partition: int
    offset: int
    customer: str
    at_ms: int
    """Event time."""
    purpose: str
    refused: bool


ReadControl = ReadErasure | ReadMute | ReadConsent
"""A record of the control topic that delivery goes by."""


class Claim(Struct, frozen=True):
    """A delivery whose next attempt is this process's to make."""

    seq: int
    """Of the alert, in the order of reading."""
    endpoint: str
    alert: AlertHead
    body: bytes
    failures: int
    """Failed attempts so far."""
    read_ms: int
    """When it was read from the topic."""
    waited_for: str = ""
    """Why it was put off the last time: muted, quiet_hours, budget; empty: it was not."""


class AttemptResult(Struct, frozen=True):
    """What an attempt led to, as it is written to the queue."""

    seq: int
    endpoint: str
    ended_ms: int
    accepted: bool
    outcome: DeliveryOutcome | None = None
    reason: str = ""
    due_ms: int = 0
    status: int = 0
    detail: str = ""
    hold_until_ms: int = 0
    counts: bool = True
    """Whether it counts as an attempt: not where it was put off before anything was sent."""


class EndpointState(Struct, frozen=True):
    """What the queue knows of an endpoint, for all processes."""

    name: str
    disabled_ms: int = 0
    """Since when it is disabled; 0: it is not."""
    reason: str = ""
    failing_since_ms: int = 0
    """Of the first failed attempt since the last accepted one; 0 without."""
    failures: int = 0
    """Since then."""
    hold_until_ms: int = 0
    """The endpoint asked to be left alone until then."""


class StoredDelivery(Struct, frozen=True):
    """A delivery as it is listed."""

    alert_id: str
    endpoint: str
    customer: str
    kind: str
    state: str
    outcome: str
    """Empty: pending."""
    reason: str
    attempts: int
    status: int
    detail: str
    read_ms: int
    ended_ms: int
    due_ms: int
    expires_ms: int | None


class Tally(Struct, frozen=True):
    """How many deliveries of an endpoint have an outcome (empty: pending), with its reason."""

    endpoint: str
    outcome: str
    reason: str
    count: int
