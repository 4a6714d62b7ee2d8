"""Structs -> bytes: one event or alert has one spelling, so equal values are equal bytes."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Struct

from stream.core.events.event import Event

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def encode_event(event: Event) -> bytes:
    """CloudEvents structured mode: the Kafka value, and a line of an events file."""
    return _ENCODER.encode(event)


def encode_alert(alert: Struct) -> bytes:
    """An alert's bytes, made once; whoever stores, sends or compares it uses these."""
    return _ENCODER.encode(alert)


def encode_event_binary(event: Event) -> tuple[list[tuple[str, bytes]], bytes | None]:
    """CloudEvents binary mode: headers, and the data alone as value."""
    headers = [("content-type", b"application/json")]
    for name in ("specversion", "id", "source", "subject"):
        headers.append((f"ce_{name}", getattr(event, name).encode()))
    headers.append(("ce_type", str(event.__struct_config__.tag).encode()))
    headers.append(("ce_time", _ENCODER.encode(event.time)[1:-1]))
    data = event.data  # type: ignore[attr-defined]
    return headers, None if data is UNSET else _ENCODER.encode(data)
