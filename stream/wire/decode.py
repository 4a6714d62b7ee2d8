"""Decodes one record to an event, strictly: CloudEvents 1.0 in structured or binary mode.

The checks run in this order: type and schema, repeated fields (by counting quotes), key, partition, time.
"""

from __future__ import annotations

from typing import Final, Union, cast, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stream.core.events.event import (
    EVENT_BY_NAME,
    EVENT_TYPES,
    PUBLICATIONS,
    ClockTicked,
    Event,
    type_name,
)
from stream.wire.binary import attributes_of, is_binary
from stream.wire.outcome import Decoded, InputHeaders, Reason, Rejected, TopicKind, Unknown, without_values
from stream.wire.partition import partition_of
from stream.wire.strict import DEPTH_MAX, flaw_in, is_plain_envelope

VALUE_BYTES_MAX: Final = 1_048_576
"""1 MiB. A whole record may have 1,048,588 bytes by Kafka's default (message.max.bytes)."""
FUTURE_TOLERANCE_MS: Final = 300_000
"""5 minutes: how far an event may be ahead of the wall clock, because clocks of producers differ a little."""
YEAR_MIN: Final = 1990
YEAR_MAX: Final = 2099
"""Weights that decay with a half-life of 30 days overflow after 2104 (stream/core/facts/decay.py)."""

TOO_EARLY: Final = Rejected(Reason.TIME_IN_FUTURE, "time is more than 5 minutes ahead of the clock")

BROADCAST: Final = (ClockTicked, *PUBLICATIONS)
"""Types that are sent to every partition; their key does not decide the partition."""

TOPIC_KIND_OF: Final = {
    type_name(event_type): cast(TopicKind, kind)
    for kind, event_types in EVENT_TYPES.items()
    for event_type in event_types
}
"""Event type -> the kind of input topic that it belongs to."""

_DATA_OF: Final = {tag: get_type_hints(event_type)["data"] for tag, event_type in EVENT_BY_NAME.items()}
_DECODE: Final = {
    kind: msgspec.json.Decoder(Union[event_types]).decode  # noqa: UP007
    for kind, event_types in (*EVENT_TYPES.items(), (None, tuple(EVENT_BY_NAME.values())))
}
_DATA_DECODER: Final = {tag: msgspec.json.Decoder(data) for tag, data in _DATA_OF.items()}


class _TypeOnly(Struct):
    type: str


_TYPE_DECODER: Final = msgspec.json.Decoder(_TypeOnly)
_ENVELOPE_DECODER: Final = msgspec.json.Decoder(
    msgspec.defstruct(
        "EnvelopeOfAnyType",
        [
            (field.name, field.type) if field.required else (field.name, field.type, field.default)
            for field in msgspec.structs.fields(Event)
        ],
    )
)
"""What every event has, whatever its type: what lacks it is no event of a newer version either."""


def kind_of(event: Event) -> TopicKind:
    """The input topic that an event belongs to."""
    return TOPIC_KIND_OF[type_name(type(event))]


def is_broadcast(event: Event) -> bool:
    """Whether the event must be sent to every partition of its topic."""
    return isinstance(event, BROADCAST)


def decode(
    topic_kind: TopicKind,
    key: bytes | None,
    value: bytes | None,
    headers: InputHeaders = None,
    *,
    partition: int | None = None,
    partition_count: int | None = None,
    now_ms: int | None = None,
) -> Decoded:
    """One Kafka record as an event; partition and wall clock (`now_ms`) are checked only when they are given.

    A caller that computes the event's time anyway can leave out `now_ms` and make the check for TOO_EARLY.
    """
    if not key:
        return Rejected(Reason.MISSING_KEY, "the key must be the customer's id")
    if headers and (binary := is_binary(headers)):
        event = binary if isinstance(binary, Rejected) else _decode_binary(topic_kind, value, headers)
    else:
        event = _decode_structured(topic_kind, value)
    kind = type(event)
    if kind is Rejected or kind is Unknown:
        return event
    if event.subject.encode() != key:  # type: ignore[union-attr]
        return Rejected(Reason.KEY_MISMATCH, "the key is not the event's subject")
    if (
        partition_count is not None
        and partition_of(key, partition_count) != partition
        and kind not in BROADCAST
    ):
        home = partition_of(key, partition_count)
        detail = f"by murmur2 the key belongs to partition {home} of {partition_count}"
        return Rejected(Reason.WRONG_PARTITION, detail)
    return _in_time(event, now_ms)  # type: ignore[arg-type]


def decode_line(line: bytes, *, now_ms: int | None = None) -> Decoded:
    """One line of an events file: a structured event of any topic, without key and partition."""
    event = _decode_structured(None, line)
    return _in_time(event, now_ms) if isinstance(event, Event) else event


def decode_own(encoded: bytes) -> Event:
    """An event that this program encoded as JSON, without the checks of what comes from outside."""
    event: Event = _DECODE[None](encoded)
    return event


def _in_time(event: Event, now_ms: int | None) -> Event | Rejected:
    if event.subject < "\x01":
        return Rejected(
            Reason.SCHEMA,
            "the subject must not begin with a NUL character: such keys are reserved for the workers",
        )
    if not YEAR_MIN <= event.time.year <= YEAR_MAX:
        return Rejected(Reason.TIME_OUT_OF_RANGE, f"the year must be {YEAR_MIN} to {YEAR_MAX}")
    return TOO_EARLY if now_ms is not None and event.time_ms > now_ms + FUTURE_TOLERANCE_MS else event


def _decode_structured(kind: TopicKind | None, value: bytes | None) -> Decoded:
    if value is None:
        return Rejected(Reason.NULL_VALUE, "a null value does not delete a customer; send customer.erased")
    if len(value) > VALUE_BYTES_MAX:
        return _too_large(value)
    try:
        event: Event = _DECODE[kind](value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _unknown_type(kind, value) or _rejection(value, error)
    if is_plain_envelope(value, event.data):  # type: ignore[attr-defined]
        return event
    return flaw_in(value) or event


def _decode_binary(kind: TopicKind, value: bytes | None, headers: InputHeaders) -> Decoded:
    attributes = attributes_of(headers)
    if isinstance(attributes, Rejected):
        return attributes
    if attributes.type not in TOPIC_KIND_OF:
        return Unknown(attributes.type[:256])
    if TOPIC_KIND_OF[attributes.type] != kind:
        return _wrong_topic(attributes.type)
    data = _decode_data(attributes.type, value)
    if isinstance(data, Rejected):
        return data
    return EVENT_BY_NAME[attributes.type](
        id=attributes.id,
        source=attributes.source,
        subject=attributes.subject,
        time=attributes.time,
        data=data,  # type: ignore[call-arg]
    )


def _decode_data(tag: str, value: bytes | None) -> Struct | UnsetType | Rejected:
    if value is None and UnsetType in getattr(_DATA_OF[tag], "__args__", ()):
        return UNSET
    if value is None:
        return Rejected(Reason.NULL_VALUE, "this type needs data")
    if len(value) > VALUE_BYTES_MAX:
        return _too_large(value)
    try:
        data: Struct = _DATA_DECODER[tag].decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _rejection(value, error)
    return flaw_in(value) or data


def _unknown_type(kind: TopicKind | None, value: bytes) -> Unknown | Rejected | None:
    """When only the type is wrong: Unknown, or Rejected for a type of another topic. Otherwise None.

    A type that no version has made is no event: an envelope that misses a field is Rejected for that field.
    """
    try:
        tag = _TYPE_DECODER.decode(value).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if tag not in TOPIC_KIND_OF:
        try:
            _ENVELOPE_DECODER.decode(value)
        except msgspec.MsgspecError as error:
            return _rejection(value, error)
        return flaw_in(value) or Unknown(tag[:256])
    if kind is not None and TOPIC_KIND_OF[tag] != kind:
        return _wrong_topic(tag)
    return None


def _wrong_topic(tag: str) -> Rejected:
    return Rejected(Reason.WRONG_TOPIC, f"{tag} belongs on the {TOPIC_KIND_OF[tag]} topic")


def _too_large(value: bytes) -> Rejected:
    return Rejected(Reason.TOO_LARGE, f"{len(value)} bytes; at most {VALUE_BYTES_MAX} are allowed")


def _rejection(value: bytes, error: Exception) -> Rejected:
    match error:
        case RecursionError():
            return Rejected(Reason.TOO_DEEP, f"nested deeper than {DEPTH_MAX} levels")
        case UnicodeDecodeError():
            return Rejected(Reason.NOT_UTF8, "a text is not UTF-8")
        case msgspec.ValidationError():
            flaw = flaw_in(value)
            return flaw or Rejected(Reason.SCHEMA, without_values(str(error)))
    if not value:
        return Rejected(Reason.EMPTY_VALUE, "0 bytes")
    if value.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")):
        return Rejected(Reason.COMPRESSED, "use the producer's compression.type, not compressed values")
    return Rejected(Reason.INVALID_JSON, without_values(str(error)))
