"""CloudEvents' binary mode: the attributes travel as `ce_*` headers, the value is the data alone.

The content-type decides (CloudEvents' Kafka binding, section 3); `ce_*` headers beside a structured value are
legal and ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.events.payload import Id, Instant
from stream.wire.outcome import Headers, Reason, Rejected, without_values

STRUCTURED_HEADERS: Final[list[tuple[str, bytes]]] = [("content-type", b"application/cloudevents+json")]
"""The only header of a structured record: `ce_*` beside it would make some SDKs read it as binary."""

_STRUCTURED: Final = tuple(STRUCTURED_HEADERS)


class Attributes(Struct, kw_only=True):
    """The context attributes, under the same rules as in the structured envelope."""

    id: Id
    source: Annotated[str, Meta(min_length=1, max_length=1_024)]
    type: Annotated[str, Meta(min_length=1)]
    subject: Id
    time: Instant
    specversion: Literal["1.0"]


def is_binary(headers: Headers) -> bool | Rejected:
    """Whether the value is data alone; a content-type that cannot be read is a rejection."""
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


def attributes_of(headers: Headers) -> Attributes | Rejected:
    """The envelope that the headers spell."""
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


def pairs_of(headers: Headers) -> Iterable[tuple[str, bytes | None]]:
    """Headers as pairs: Faust hands over a mapping, the clients a list."""
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers
