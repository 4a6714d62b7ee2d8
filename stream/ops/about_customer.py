"""Which records are of one customer: by key, by the customer that they name, or by what is left of a rejected
one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from stream.ops.cluster import message_headers

ESCAPE = b"\\"
"""A text with a backslash is always decoded: other JSON writers escape ids, as `jos\\u00e9` or `a\\/b`."""


class _Named(Struct):
    subject: str = ""
    customer: str = ""


_named = msgspec.json.Decoder(_Named).decode


def is_about(record: Message, customer: str, *, loosely: bool = False) -> bool:
    """Whether a record is of this customer. `loosely`: a rejected record may name them anywhere, in JSON that
    nobody can read, or in the headers of its producer."""
    return record.key() == customer.encode() or names_customer(
        record.value() or b"", message_headers(record), customer, loosely=loosely
    )


def names_customer(
    value: bytes, headers: Iterable[tuple[str, bytes | None]], customer: str, *, loosely: bool = True
) -> bool:
    """Whether the content of a record, or its headers, name a customer."""
    if any(content == customer.encode() for name, content in headers if name.endswith("ce_subject")):
        return True
    is_there = any(b'"%b"' % mark in value for mark in json_spellings(customer))
    if not is_there and ESCAPE not in value:
        return False
    if loosely and is_there:
        return True
    try:
        named = _named(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return customer in (named.subject, named.customer)


@lru_cache(16)
def json_spellings(customer: str) -> frozenset[bytes]:
    """An id as it stands inside JSON, without its quotation marks: in UTF-8, or in ASCII (`jos\\u00e9`)."""
    return frozenset({msgspec.json.encode(customer)[1:-1], json.dumps(customer).encode()[1:-1]})
