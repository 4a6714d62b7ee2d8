"""What goes out: one CloudEvent per transition of an episode, which explains itself, the same everywhere.

Its id is derived from policy, customer, episode and transition, so that a resend is harmless; where it came
from travels in record headers. It never holds review text.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha1
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from stream.core.judgement.episode import AlertState
from stream.core.policy.policy import ALERT_VERSION, AlertKind
from stream.core.units import DAY_MS

ALERT_SOURCE = "/customer-stream"
ALERT_SCHEMA = f"urn:customer-stream:alert:{ALERT_VERSION}"
NAMESPACE = uuid5(NAMESPACE_URL, "customer-stream/alerts")
EPOCH = date(1970, 1, 1)

Severity = Literal["INFO", "WARN", "ERROR"]
SEVERITY_NUMBER: dict[Severity, int] = {"INFO": 9, "WARN": 13, "ERROR": 17}  # OpenTelemetry's numbers
Consent = Literal["granted", "denied", "unknown", "not_needed"]
RemedyCode = Literal["ORDER", "POSITIVE_FEEDBACK", "RESOLVE_TICKET", "REACH_NEXT_TIER"]


class _AlertPart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the alert's parts."""


class Evidence(_AlertPart, frozen=True):
    """One reason: what was observed, against the customer's own baseline, and what it adds to the score."""

    code: str
    feature: str
    observed: float
    unit: str
    contribution: float
    baseline: float | None = None
    themes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    """Ids of input events behind it."""


class Remedy(_AlertPart, frozen=True):
    """Something that, with the other remedies, would clear the alert."""

    code: RemedyCode
    count: int = 1
    amount_minor: int | None = None


class Counterfactual(_AlertPart, frozen=True):
    """If all of these happen before `before`, the score falls to about `score_then`, and the alert clears."""

    clears_if: tuple[Remedy, ...]
    score_then: float
    before: str


class Score(_AlertPart, frozen=True):
    """`scale` says how `base` and the contributions add up: to the value itself, or to its log-odds."""

    name: str
    value: float
    scale: Literal["share", "log_odds"]
    base: float
    previous: float
    raise_at: float
    clear_at: float


class ValueAtRisk(_AlertPart, frozen=True):
    """Earnings expected within the horizon if the customer is kept: margin times spend, discounted."""

    p10_minor: int
    p50_minor: int
    p90_minor: int
    currency: str
    horizon_days: int
    annual_discount: float
    margin: float


class Action(_AlertPart, frozen=True):
    """What the playbook recommends, and whether the customer's consent allows it."""

    code: str
    text: str
    because: str
    channels: tuple[str, ...]
    consent: Consent
    requires_consent: str | None = None


class EpisodeRef(_AlertPart, frozen=True):
    """Which episode of this kind it is."""

    n: int
    opened_at: str
    previous_closed: str | None = None


class PolicyRef(_AlertPart, frozen=True):
    """What it was decided by."""

    id: str
    version: int
    hash: str
    model: str


class CustomerRef(_AlertPart, frozen=True):
    """Who it is about, as far as rules look."""

    tier: str
    stage: str
    rfm: str
    purchase_days: int
    tenure_days: int
    last_purchase: str | None = None
    campaign: str | None = None
    channel: str | None = None


class AlertData(_AlertPart, frozen=True):
    """An alert in full: who, why, how sure, what is at stake, what to do and what would end it."""

    alert_id: str
    dedupe_key: str
    kind: AlertKind
    state: AlertState
    episode: EpisodeRef
    policy: PolicyRef
    customer: CustomerRef
    score: Score
    evidence: tuple[Evidence, ...]
    value_at_risk: ValueAtRisk | None = None
    counterfactual: Counterfactual | None = None
    recommended_action: Action | None = None


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CloudEvents 1.0 envelope, structured mode, with the alert as its data."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    partitionkey: str
    datacontenttype: str
    dataschema: str
    expirytime: str | None = None
    severitynumber: int
    severitytext: Severity
    sequence: str
    correlationid: str
    causationid: str | None = None
    data: AlertData


def rfc3339(at_ms: int) -> str:
    """An instant as RFC 3339 text in UTC, to the millisecond."""
    day, rest_ms = divmod(at_ms, DAY_MS)
    seconds, milliseconds = divmod(rest_ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_date(day)}T{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}Z"


@lru_cache(maxsize=1_024)
def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def alert_id(*cause: str | int) -> str:
    """A name-based UUID (version 5, RFC 9562) of what caused the alert, as `uuid.uuid5` makes it."""
    name = "|".join(map(str, cause)).encode()
    digits = sha1(NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
