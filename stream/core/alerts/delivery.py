"""What became of an alert at one endpoint: the record that `stream deliver` writes, and others read.

It is a message of its own and no field of the alert: alerts are the bytes that a replay makes as well.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream.core.alerts.alert import alert_id, rfc3339

DELIVERY_VERSION = 1
"""Version of the schema of this record (schemas/delivery/)."""
DELIVERY_SOURCE = "/customer-stream/deliver"
DELIVERY_SCHEMA = f"urn:customer-stream:delivery:{DELIVERY_VERSION}"

DeliveryOutcome = Literal["accepted", "parked", "expired", "superseded", "suppressed", "disabled"]
"""
accepted    the endpoint answered with a status of 200 to 299
parked      every attempt of the schedule failed
expired     the alert's `expirytime` came first; nothing is sent after it
superseded  the episode ended before its first attempt: neither its alerts nor its end are sent
suppressed  it was not to be sent; `reason` says why
disabled    the endpoint was disabled; the alert is kept, and `stream deliver resend` sends it
"""


class DeliveryData(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an alert at an endpoint. Every alert gets one at each endpoint.

    One that is sent again gets another: of several for one alert and endpoint the latest `at` counts.
    """

    alert_id: str
    endpoint: str
    """Name of the endpoint in the endpoints file."""
    outcome: DeliveryOutcome
    reason: Annotated[str, Meta(pattern="^[a-z_]*$")] = ""
    """With `suppressed`: by what (consent, budget, muted, quiet_hours, holdout, filter, history, erased)."""
    arm: str = ""
    """Arm of the experiment that the customer is in; empty without one."""
    at: str
    """When it ended. For a customer who is held out: when it would have been sent."""
    sent_at: str | None = None
    """When it was first sent or, for a customer who is held out, would have been. None: neither."""
    kind: str
    state: str
    episode: str
    """The alert's `correlationid`: the same for all alerts of one episode."""
    attempts: int = 0
    """HTTP requests that were made."""


class DeliveryRecord(Struct, frozen=True, kw_only=True):
    """A CloudEvents 1.0 envelope, structured mode, about the delivery of one alert to one endpoint."""

    specversion: str
    id: str
    """The same when the record is written again, as after a crash."""
    source: str
    type: Literal["delivery.ended"]
    subject: str
    """The customer; also the key of the record."""
    time: str
    partitionkey: str
    datacontenttype: str
    dataschema: str
    correlationid: str
    causationid: str
    """The id of the alert."""
    data: DeliveryData


def delivery_record(customer: str, ended_ms: int, resends: int, data: DeliveryData) -> DeliveryRecord:
    """The record of a delivery that ended at an instant, after it was sent again `resends` times."""
    return DeliveryRecord(
        specversion="1.0",
        id=alert_id("delivery", data.alert_id, data.endpoint, resends, data.outcome, data.reason),
        source=DELIVERY_SOURCE,
        type="delivery.ended",
        subject=customer,
        time=rfc3339(ended_ms),
        partitionkey=customer,
        datacontenttype="application/json",
        dataschema=DELIVERY_SCHEMA,
        correlationid=data.episode,
        causationid=data.alert_id,
        data=data,
    )
