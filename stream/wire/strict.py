"""Checks that msgspec's decoder does not make: repeated fields, depth, the contents of unknown fields.

Decoding drops a repeated field. So when a JSON text has as many double quotes as its decoded value encoded
again, no field was repeated. Counting quotes proves this for most payloads without a second parse.
"""

from __future__ import annotations

import re
from functools import cache
from json import loads
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from stream.wire.outcome import Reason, Rejected

DEPTH_MAX = 64
"""Levels of nesting; a purchase has 4. The fallback parser, json.loads, recurses once per level."""

_ENVELOPE_QUOTES = 26
"""Names and texts of type, id, source, subject, time and specversion: 6 x 4; the name of data: 2."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BACKSLASH = ord("\\")
_QUOTE_ESCAPE = b"\\u0022"

_encode = msgspec.json.Encoder().encode


class _DuplicateFieldError(ValueError):
    pass


def is_plain_envelope(value: bytes, data: Struct | msgspec.UnsetType) -> bool:
    """True proves that the envelope has only the fields of its struct, each once; False proves nothing."""
    if data is UNSET or value.find(b'"specversion"') < 0:  # `find` takes 0.15 us, `in` 0.29 us
        return False
    # Searching for one byte takes 0.04 us, for the whole escape 0.32 us.
    if _BACKSLASH in value and _QUOTE_ESCAPE in value:
        return False
    surplus = value.count(b'"') - _ENVELOPE_QUOTES - _encode(data).count(b'"')
    return not surplus or (surplus > 0 and _are_defaults(value, data, surplus))


def _are_defaults(value: bytes, data: Struct, surplus: int) -> bool:
    """Whether the surplus quotes belong to fields that hold their default value, which encoding leaves out.

    Each such field that occurs once accounts for two quotes; any other content would add quotes of its own.
    """
    for name, quoted, default in _defaults_of(type(data)):
        if getattr(data, name) == default and value.count(quoted) == 1:
            surplus -= 2
            if not surplus:
                return True
    return False


@cache
def _defaults_of(kind: type[Struct]) -> tuple[tuple[str, bytes, object], ...]:
    """(name, quoted name, default) of each field that has a default. Defaults of None come last: producers
    send `"discount_minor":0` more often than null."""
    found = [
        (field.name, f'"{field.encode_name}":'.encode(), field.default)
        for field in msgspec.structs.fields(kind)
        if field.default is not msgspec.NODEFAULT
    ]
    return tuple(sorted(found, key=lambda each: each[2] is None))


def flaw_in(value: bytes) -> Rejected | None:
    """The fault anywhere in a JSON text, including fields that no struct reads; None when there is none."""
    if _depth_of(value) > DEPTH_MAX:
        return Rejected(Reason.TOO_DEEP, f"nested deeper than {DEPTH_MAX} levels")
    try:
        whole = msgspec.json.decode(value)
        if value.count(b'"') == _encode(whole).count(b'"') and _QUOTE_ESCAPE not in value:
            return None
    except UnicodeDecodeError:
        return Rejected(Reason.NOT_UTF8, "a text is not UTF-8")
    except (OverflowError, msgspec.ValidationError, msgspec.EncodeError):
        pass  # a number out of msgspec's range, in a field that no struct reads
    except msgspec.DecodeError:
        return Rejected(Reason.INVALID_JSON, "malformed in a field that is not part of the contract")
    return _repeated_field(value)


def _repeated_field(value: bytes) -> Rejected | None:
    try:
        loads(value, object_pairs_hook=_once)
    except _DuplicateFieldError:
        return Rejected(Reason.DUPLICATE_FIELD, "a field occurs twice in one object")
    except ValueError:
        return Rejected(Reason.INVALID_JSON, "malformed in a field that is not part of the contract")
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _DuplicateFieldError
    return fields


def _depth_of(value: bytes) -> int:
    opening = value.count(b"{") + value.count(b"[")
    if opening <= DEPTH_MAX:
        return opening
    depth = deepest = 0
    for byte in _STRING.sub(b"", value):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest
