"""Minimal alerts, as the worker sends them."""

from stream.core.alerts.alert import (
    Alert,
    AlertData,
    CustomerRef,
    EpisodeRef,
    Evidence,
    PolicyRef,
    Score,
    ValueAtRisk,
)

INACTIVITY = Evidence(
    code="SILENT_BEYOND_RHYTHM",
    feature="days_since_purchase",
    observed=10.0,
    baseline=3.0,
    unit="days",
    contribution=0.8,
)


def alert(subject, *, kind="churn_risk", state="raised", worth=100, currency="USD"):
    name = f"{subject}-{kind}-{state}"
    data = AlertData(
        alert_id=name,
        dedupe_key=f"{kind}|{subject}|1",
        kind=kind,
        state=state,
        episode=EpisodeRef(n=1, opened_at="2017-05-01T00:00:00.000Z"),
        policy=PolicyRef(id="p", version=1, hash="sha256:0", model="m"),
        customer=CustomerRef(tier="gold", stage="loyal", rfm="555", purchase_days=9, tenure_days=90),
        score=Score(name="s", value=0.8, scale="share", base=0.0, previous=0.1, raise_at=0.7, clear_at=0.5),
        evidence=(INACTIVITY,),
        value_at_risk=ValueAtRisk(
            p10_minor=worth // 2,
            p50_minor=worth,
            p90_minor=worth * 2,
            currency=currency,
            horizon_days=365,
            annual_discount=0.1,
            margin=0.3,
        ),
    )
    return Alert(
        specversion="1.0",
        id=name,
        source="/customer-stream",
        type=f"{kind}.{state}",
        subject=subject,
        time="2017-05-01T00:00:00.000Z",
        partitionkey=subject,
        datacontenttype="application/json",
        dataschema="/schemas/alert/2",
        severitynumber=13,
        severitytext="WARN",
        sequence="1",
        correlationid=name,
        data=data,
    )
