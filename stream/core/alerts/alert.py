"""What goes out: one CloudEvent for each transition of an episode, with its own explanation.

Its id is derived from policy, customer, episode and transition, so that a resent alert has the same id. What
it was caused by in Kafka (topic, offset) is in the record's headers. It never holds texts of customers.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha1
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from stream.core.judgement.episode import AlertState
from stream.core.policy.arms import Assignment
from stream.core.policy.policy import ALERT_VERSION, AlertKind
from stream.core.units import DAY_MS
from stream.core.value.swanson import mean_of

ALERT_SOURCE = "/customer-stream"
ALERT_SCHEMA = f"urn:customer-stream:alert:{ALERT_VERSION}"
NAMESPACE = uuid5(NAMESPACE_URL, "customer-stream/alerts")
FIRST_DAY = date(1970, 1, 1)

Severity = Literal["INFO", "WARN", "ERROR"]
SEVERITY_NUMBER: dict[Severity, int] = {"INFO": 9, "WARN": 13, "ERROR": 17}  # OpenTelemetry's numbers
Consent = Literal["granted", "denied", "unknown", "not_needed"]
RemedyCode = Literal["ORDER", "POSITIVE_FEEDBACK", "RESOLVE_TICKET", "REACH_NEXT_TIER"]


class _AlertPart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the alert's parts."""


class Evidence(_AlertPart, frozen=True):
    """One reason: what was observed, the customer's own baseline, and what it adds to the score."""

    code: str
    """Reason code, as in the policy's playbook."""
    feature: str
    """Name of what was observed."""
    observed: float
    unit: str
    """Unit of `observed` and `baseline`."""
    contribution: float
    """What it adds to the score, on the scale of the score (`Score.scale`)."""
    baseline: float | None = None
    """The customer's own usual value, or the policy's threshold."""
    themes: tuple[str, ...] = ()
    """What the customer complained about, worst first."""
    categories: tuple[str, ...] = ()
    """Product categories."""
    months: tuple[int, ...] = ()
    """Months of the year in which the customer mostly buys, 1: January; where that is clear, by a model that
    knows seasons."""
    expected: str | None = None
    """The first of these months that was not over: `2024-11`."""
    events: tuple[str, ...] = ()
    """Ids of the input events that were observed."""


class Remedy(_AlertPart, frozen=True):
    """One of the things that together would clear the alert."""

    code: RemedyCode
    count: int = 1
    """How many of them: orders (on a day each), pieces of feedback."""
    amount_minor: int | None = None
    """How much spend; None where money does not matter."""


class Counterfactual(_AlertPart, frozen=True):
    """If all remedies happen before `before`, the score falls to about `score_then` and the alert clears."""

    clears_if: tuple[Remedy, ...]
    score_then: float
    before: str


class Score(_AlertPart, frozen=True):
    """The score of the rule. Base and contributions add up to its value (`share`) or to its log-odds."""

    name: str
    value: float
    """0 to 1."""
    scale: Literal["share", "log_odds"]
    """On which scale base and contributions add up."""
    base: float
    """What the score would be without any contribution, on that scale."""
    previous: float
    """The value at the episode's transition before this one."""
    raise_at: float
    """From this value on an alert is raised."""
    clear_at: float
    """Below this value it is cleared."""


class ValueAtRisk(_AlertPart, frozen=True):
    """Earnings within the horizon if the customer is kept: discounted spend times margin, in minor units."""

    p10_minor: int
    """10th percentile of the earnings."""
    p50_minor: int
    """The median: half of such customers bring more. What people read as the amount at stake is the mean."""
    p90_minor: int
    currency: str
    horizon_days: int
    annual_discount: float
    margin: float
    """Earnings as a share of spend."""

    @property
    def mean_minor(self) -> int:
        """The mean, which is the amount that words and lists state: it adds up over customers."""
        return round(mean_of(self.p10_minor, self.p50_minor, self.p90_minor))


class Action(_AlertPart, frozen=True):
    """What the playbook recommends, and whether the customer's consent allows it."""

    code: str
    text: str
    because: str
    """Reason code, and its first theme after a colon."""
    channels: tuple[str, ...]
    """Best first."""
    consent: Consent
    requires_consent: str | None = None


class EpisodeRef(_AlertPart, frozen=True):
    """Which of the customer's episodes of this kind it is."""

    n: int
    """Counted from 1."""
    opened_at: str
    previous_closed: str | None = None
    """When the episode before this one ended; only in raised alerts."""


class PolicyRef(_AlertPart, frozen=True):
    """The policy and the model that decided."""

    id: str
    version: int
    hash: str
    """Of the policy's content."""
    model: str
    """Version of the model record."""


class CustomerRef(_AlertPart, frozen=True):
    """The customer, as far as rules look at it."""

    tier: str
    stage: str
    rfm: str
    """Recency, frequency and monetary score, each 1 to 5; empty for a customer who never bought, or pays in
    another currency than customers are ranked in."""
    purchase_days: int
    """Distinct days with a purchase."""
    tenure_days: int
    """Since the first purchase."""
    last_purchase: str | None = None
    campaign: str | None = None
    channel: str | None = None
    timezone: str | None = None
    """Of the customer, as it was stated (IANA name): quiet hours go by it."""


class AlertText(_AlertPart, frozen=True):
    """The alert for people, in plain English. Each part is whole: a message can be made of any of them.

    It names the customer nowhere, and holds no text of a customer. An alert that is over has no more than
    headline and reason.
    """

    headline: str
    """What it is about, and about whom: tier, and for how long they have been a customer."""
    why: str
    """The reasons, the strongest first; of an alert that is over, the score as it is now."""
    at_stake: str | None = None
    """What is earned if the customer stays, with its range."""
    to_do: str | None = None
    """What the playbook recommends, by which channel, and whether consent is there."""
    until: str | None = None
    """What closes the alert, and until when."""


class AlertData(_AlertPart, frozen=True):
    """An alert in full: about whom, why, how certain, what is at stake, what to do, what would clear it."""

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
    text: AlertText | None = None
    """The same in words, since version 2."""
    experiment: Assignment | None = None
    """The customer's arm; nobody may act on an alert of the arm `held_out`. None: in no experiment."""
    risk_of: str = ""
    """Whose churn risk it is, and why: words of the model (`Model.risk_of`); left out where it has none."""


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
    """An instant as RFC 3339 text in UTC, with milliseconds."""
    day, rest_ms = divmod(at_ms, DAY_MS)
    seconds, milliseconds = divmod(rest_ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_date(day)}T{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}Z"


def instant_of(at: str) -> int:
    """The instant of RFC 3339 text, in milliseconds since 1970: `rfc3339` the other way."""
    return round(datetime.fromisoformat(at).timestamp() * 1_000)


@lru_cache(maxsize=1_024)
def _date(day: int) -> str:
    return (FIRST_DAY + timedelta(days=day)).isoformat()


def alert_id(*cause: str | int) -> str:
    """A name-based UUID (version 5, RFC 9562) of what caused the alert, as `uuid.uuid5` makes it."""
    name = "|".join(map(str, cause)).encode()
    digits = sha1(NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
