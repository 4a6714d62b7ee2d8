"""A labelled alert for `stream deliver test`: whole and valid, of a customer that does not exist."""

from __future__ import annotations

from uuid import uuid4

from msgspec import structs

from stream.core.alerts.alert import (
    ALERT_SCHEMA,
    ALERT_SOURCE,
    Action,
    Alert,
    AlertData,
    CustomerRef,
    EpisodeRef,
    Evidence,
    PolicyRef,
    Score,
    ValueAtRisk,
    rfc3339,
)
from stream.core.alerts.wording import text_of
from stream.core.units import HOUR_MS
from stream.deliver.plan.verdict import Failure
from stream.wire import encode_alert

CUSTOMER = "stream-deliver-test"
"""Subject of the sample; `source` ends with /test as well."""

ADVICE: dict[Failure, str] = {
    "timeout": "answer within the time-out, with 202 before the work is done",
    "dns": "check the host of the url and the name service of this machine",
    "address": "use a public address, or name the network in allow_networks",
    "connect": "check host and port, and whether a firewall is between",
    "tls": "check the certificate of the endpoint; for an authority of your own set ca_file",
    "cut": "look at the endpoint and the proxies before it: the answer was not complete",
    "invalid": "check that the port speaks HTTP: https:// or http:// in the url",
    "status": "look at the endpoint's log; 401 or 403 often mean another secret, or a token that is missing",
    "refused": "look at what the tool says, and at its page in docs/delivery",
    "redirect": "put the address that it redirects to into the endpoints file",
}
"""What to do about each kind of failure."""


def sample_alert(now_ms: int) -> tuple[str, bytes]:
    """Its id, new every time, and its JSON."""
    identity = str(uuid4())
    at, expires = rfc3339(now_ms), rfc3339(now_ms + HOUR_MS)
    data = _data(identity, at)
    alert = Alert(
        specversion="1.0",
        id=identity,
        source=f"{ALERT_SOURCE}/test",
        type="at_risk_loyal.raised",
        subject=CUSTOMER,
        time=at,
        partitionkey=CUSTOMER,
        datacontenttype="application/json",
        dataschema=ALERT_SCHEMA,
        expirytime=expires,
        severitynumber=13,
        severitytext="WARN",
        sequence="0000000001",
        correlationid=f"at_risk_loyal|{CUSTOMER}|1|{now_ms}",
        data=structs.replace(data, text=text_of(data, expires, now_ms)),
    )
    return identity, encode_alert(alert)


def _data(identity: str, at: str) -> AlertData:
    return AlertData(
        alert_id=identity,
        dedupe_key=f"at_risk_loyal|{CUSTOMER}|1",
        kind="at_risk_loyal",
        state="raised",
        episode=EpisodeRef(n=1, opened_at=at),
        policy=PolicyRef(id="test", version=1, hash="sha256:test", model="test"),
        customer=CustomerRef(tier="gold", stage="loyal", rfm="554", purchase_days=12, tenure_days=400),
        score=Score(
            name="drifting_or_unhappy",
            value=0.7,
            scale="share",
            base=0.0,
            previous=0.4,
            raise_at=0.65,
            clear_at=0.45,
        ),
        evidence=(
            Evidence(
                code="SENTIMENT_LOW", feature="sentiment", observed=-0.5, unit="-1 to 1", contribution=0.7
            ),
        ),
        value_at_risk=ValueAtRisk(
            p10_minor=10_000,
            p50_minor=30_000,
            p90_minor=60_000,
            currency="EUR",
            horizon_days=365,
            annual_discount=0.1,
            margin=0.3,
        ),
        recommended_action=Action(
            code="TEST",
            text="Nothing: this is a test of `stream deliver test`.",
            because="SENTIMENT_LOW",
            channels=("email",),
            consent="not_needed",
        ),
    )
