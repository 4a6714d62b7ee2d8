"""An alert as tools get it: one flat list of properties, since most of them read nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stream.deliver.stake import StakeRead

Property = str | int | float


class FlatAlert(Struct, frozen=True):
    """What adapters use of an alert."""

    alert_id: str
    customer: str
    name: str
    """`alert_at_risk_loyal_raised`: kind and state, as most tools allow names of events."""
    kind: str
    state: str
    time: str
    properties: dict[str, Property]
    """Without what the alert does not have. Names are lower-case with underscores, values are no lists."""


class _FlatText(Struct, frozen=True):
    headline: str = ""
    why: str = ""
    at_stake: str = ""
    to_do: str = ""
    until: str = ""


class _FlatAction(Struct, frozen=True):
    code: str = ""
    channels: tuple[str, ...] = ()
    consent: str = ""


class _FlatCustomer(Struct, frozen=True):
    tier: str = ""
    stage: str = ""


class _FlatScore(Struct, frozen=True):
    value: float = 0.0


class _FlatReason(Struct, frozen=True):
    code: str = ""


class _FlatExperiment(Struct, frozen=True):
    arm: str = ""


class _FlatData(Struct, frozen=True):
    kind: str
    state: str
    customer: _FlatCustomer = _FlatCustomer()
    score: _FlatScore = _FlatScore()
    evidence: tuple[_FlatReason, ...] = ()
    value_at_risk: StakeRead | None = None
    recommended_action: _FlatAction = _FlatAction()
    text: _FlatText = _FlatText()
    experiment: _FlatExperiment = _FlatExperiment()


class _WholeAlert(Struct, frozen=True):
    id: str
    subject: str
    time: str
    correlationid: str
    data: _FlatData
    severitytext: str = ""
    expirytime: str = ""


_DECODER = msgspec.json.Decoder(_WholeAlert)


def flat_alert(body: bytes) -> FlatAlert:
    """Read an alert of any minor version; msgspec.MsgspecError when it is none."""
    read = _DECODER.decode(body)
    data = read.data
    found: dict[str, Any] = {
        "alert_id": read.id,
        "episode": read.correlationid,
        "kind": data.kind,
        "state": data.state,
        "severity": read.severitytext,
        "tier": data.customer.tier,
        "stage": data.customer.stage,
        "score": data.score.value,
        "reasons": ",".join(each.code for each in data.evidence),
        "action": data.recommended_action.code,
        "channels": ",".join(data.recommended_action.channels),
        "consent": data.recommended_action.consent,
        "headline": data.text.headline,
        "why": data.text.why,
        "at_stake": data.text.at_stake,
        "to_do": data.text.to_do,
        "until": data.text.until,
        "expires_at": read.expirytime,
        "arm": data.experiment.arm,
    }
    if data.value_at_risk is not None:
        found["at_stake_minor"] = data.value_at_risk.mean_minor
        found["currency"] = data.value_at_risk.currency
    kept = {name: value for name, value in found.items() if value != ""}
    name = f"alert_{data.kind}_{data.state}"
    return FlatAlert(read.id, read.subject, name, data.kind, data.state, read.time, kept)
