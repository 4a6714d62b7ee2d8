"""What delivery decides by: a few fields of an alert. The alert itself is sent byte for byte as it came."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from stream.core.policy.arms import HELD_OUT
from stream.deliver.stake import StakeRead

ENDS = frozenset({"cleared", "expired", "retracted"})
"""States that end an episode."""
ALERT_BYTES_MAX = 1 << 20

_Name = Annotated[str, Meta(min_length=1, max_length=1_024)]
_Id = Annotated[str, Meta(pattern=r"^[!-~]{1,200}$")]
"""It becomes a header: printable ASCII without spaces."""
_Time = Annotated[datetime, Meta(tz=True)]


class AlertHead(Struct, frozen=True):
    """An alert as delivery sees it; instants in ms since 1970 UTC."""

    alert_id: str
    customer: str
    episode: str
    """The same for all alerts of one episode (`correlationid`)."""
    kind: str
    state: str
    tier: str
    at_ms: int
    at_stake_minor: int | None = None
    """The mean of the value at risk, as the words of the alert state it."""
    expires_ms: int | None = None
    arm: str = ""
    """Of the experiment; empty without one."""
    zone: str = ""
    """The customer's time zone, as it was stated; empty where it is not known."""
    consent: str = ""
    """To what is recommended: granted, denied, unknown, not_needed; empty where nothing is. Not in the queue:
    it decides when the alert is read."""
    purpose: str = ""
    """What the consent is for; empty where none is needed. Not in the queue either: it is in the body."""

    @property
    def is_end(self) -> bool:
        """Whether it ends its episode."""
        return self.state in ENDS

    @property
    def is_held_out(self) -> bool:
        """Whether nothing about it may be sent to anybody."""
        return self.arm == HELD_OUT


class _CustomerRead(Struct):
    tier: str
    timezone: str = ""


class _ExperimentRead(Struct):
    arm: str


class _ActionRead(Struct):
    consent: str = ""
    requires_consent: str | None = None


class _DataRead(Struct):
    kind: _Name
    state: _Name
    customer: _CustomerRead
    value_at_risk: StakeRead | None = None
    experiment: _ExperimentRead | None = None
    recommended_action: _ActionRead | None = None


class _AlertRead(Struct):
    id: _Id
    subject: _Name
    time: _Time
    correlationid: _Name
    data: _DataRead
    expirytime: _Time | None = None


_DECODER = msgspec.json.Decoder(_AlertRead)


class NoAlertError(ValueError):
    """A record that is no alert; the message says why, without its contents."""


def read_head(body: bytes | None) -> AlertHead:
    """The head of an alert in JSON, of this schema or a later minor version of it; NoAlertError."""
    if body is None:
        raise NoAlertError("a record without value")
    if len(body) > ALERT_BYTES_MAX:
        raise NoAlertError(f"{len(body):,} bytes; at most {ALERT_BYTES_MAX:,} are sent")
    try:
        read = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoAlertError(_without_contents(error)) from None
    data = read.data
    return AlertHead(
        alert_id=read.id,
        customer=read.subject,
        episode=read.correlationid,
        kind=data.kind,
        state=data.state,
        tier=data.customer.tier,
        at_ms=_ms(read.time),
        at_stake_minor=data.value_at_risk.mean_minor if data.value_at_risk else None,
        expires_ms=_ms(read.expirytime) if read.expirytime else None,
        arm=data.experiment.arm if data.experiment else "",
        zone=data.customer.timezone,
        consent=data.recommended_action.consent if data.recommended_action else "",
        purpose=(data.recommended_action.requires_consent or "") if data.recommended_action else "",
    )


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1_000)


def _without_contents(error: Any) -> str:
    """The types and the place that msgspec names; a text that it quotes is not among them."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
