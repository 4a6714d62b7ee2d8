"""Encodes events and alerts to JSON. Equal values always have equal bytes: fields are in a fixed order."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Struct

from stream.core.events.event import Event, type_name

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
