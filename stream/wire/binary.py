"""CloudEvents binary mode: the context attributes are `ce_*` headers, the value is the `data` alone.

The content-type header decides between binary and structured mode (Kafka binding of CloudEvents,
section 3). `ce_*` headers beside a structured value are legal and ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.events.payload import Id, Instant
from stream.wire.outcome import InputHeaders, Reason, Rejected, without_values

STRUCTURED_HEADERS: Final[list[tuple[str, bytes]]] = [("content-type", b"application/cloudevents+json")]
"""All headers of a structured record that we send. With `ce_*` headers some SDKs would read it as binary."""

_STRUCTURED: Final = tuple(STRUCTURED_HEADERS)


class Attributes(Struct, kw_only=True):
    """The context attributes of an event, with the same rules as `Event` in structured mode."""

    id: Id
    source: Annotated[str, Meta(min_length=1, max_length=1_024)]
    type: Annotated[str, Meta(min_length=1)]
    subject: Id
    time: Instant
    specversion: Literal["1.0"]


def is_binary(headers: InputHeaders) -> bool | Rejected:
    """Whether a record is in binary mode; Rejected when its content-type is not one that we read."""
    if headers in (STRUCTURED_HEADERS, _STRUCTURED):
        return False
    content_type = None
    has_attributes = False
    for name, text in pairs_of(headers):
        if name.startswith("ce_"):
            has_attributes = True
        elif name.lower() == "content-type" and text:
            content_type = text.partition(b";")[0].strip().lower()
    if content_type is None or content_type == b"application/json":
        return has_attributes
    if content_type == b"application/cloudevents+json":
        return False
    return Rejected(Reason.CONTENT_TYPE, "use application/cloudevents+json or application/json")


def attributes_of(headers: InputHeaders) -> Attributes | Rejected:
    """The context attributes that the `ce_*` headers hold."""
    attributes: dict[str, str] = {}
    for name, text in pairs_of(headers):
        if not name.startswith("ce_") or text is None:
            continue
        if name[3:] in attributes:
            return Rejected(Reason.DUPLICATE_FIELD, "a ce_ header occurs twice")
        try:
            attributes[name[3:]] = text.decode()
        except UnicodeDecodeError:
            return Rejected(Reason.NOT_UTF8, "a ce_ header is not UTF-8")
    try:
        return msgspec.convert(attributes, Attributes)
    except msgspec.ValidationError as error:
        return Rejected(Reason.SCHEMA, f"ce_ headers: {without_values(str(error))}")


def pairs_of(headers: InputHeaders) -> Iterable[tuple[str, bytes | None]]:
    """Headers as (name, value) pairs: Faust gives a mapping, Kafka clients a list."""
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers
