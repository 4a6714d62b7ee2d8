"""Encodes events, alerts and views to JSON. Equal values have equal bytes: fields are in a fixed order."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Struct

from stream.core.alerts.alert import ALERT_SOURCE, alert_id, rfc3339
from stream.core.events.event import Event, type_name
from stream.core.view.profile_view import VIEW_SCHEMA, VIEW_TYPE, ProfileView

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def encode_event(event: Event) -> bytes:
    """An event in CloudEvents structured mode: the value of a Kafka record, or a line of an events file."""
    return _ENCODER.encode(event)


def encode_alert(alert: Struct) -> bytes:
    """An alert as JSON: the value that is sent, and what outboxes and replay files hold."""
    return _ENCODER.encode(alert)


def encode_event_binary(event: Event) -> tuple[list[tuple[str, bytes]], bytes | None]:
    """An event in CloudEvents binary mode: its headers, and the data as the value (None without data)."""
    headers = [("content-type", b"application/json")]
    for name in ("specversion", "id", "source", "subject"):
        headers.append((f"ce_{name}", getattr(event, name).encode()))
    headers.append(("ce_type", type_name(type(event)).encode()))
    headers.append(("ce_time", _ENCODER.encode(event.time)[1:-1]))
    data = event.data  # type: ignore[attr-defined]
    return headers, None if data is UNSET else _ENCODER.encode(data)


def encode_profile_view(view: ProfileView) -> bytes:
    """What a view says, as JSON: the value of its record. Equal bytes: nothing that it says has changed."""
    return _ENCODER.encode(view)


def profile_view_headers(customer: str, digest: str, as_of_ms: int) -> list[tuple[str, bytes]]:
    """The headers of a view in CloudEvents binary mode. `digest`: the digest of its value; `as_of_ms`: as of
    when it holds. The id is the same when the record is written again, as after a crash."""
    attributes = {
        "specversion": "1.0",
        "id": alert_id("profile_view", customer, digest, as_of_ms),
        "source": ALERT_SOURCE,
        "type": VIEW_TYPE,
        "subject": customer,
        "time": rfc3339(as_of_ms),
        "dataschema": VIEW_SCHEMA,
    }
    content_type = ("content-type", b"application/json")
    return [content_type, *((f"ce_{name}", text.encode()) for name, text in attributes.items())]
