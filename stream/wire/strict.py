"""Strictness beyond what a validating JSON decoder sees: repeated fields, depth, what it skipped unread.

A JSON text without repeated fields has as many double quotes as the same value encoded again: decoding drops
a repeated field, and its quotes with it. So one count proves most payloads clean, without a second parse.
"""

from __future__ import annotations

import re
from json import loads
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from stream.wire.outcome import Reason, Rejected

DEPTH_MAX = 64

_ENVELOPE_QUOTES = 26  # type, id, source, subject, time, specversion: 6 names and texts; data: a name
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_QUOTE_ESCAPE = b"\\u0022"

_encode = msgspec.json.encode


class _DuplicateFieldError(ValueError):
    pass


def is_plain_envelope(value: bytes, data: Struct | msgspec.UnsetType) -> bool:
    """True proves that the envelope holds the fields of its struct, each once, and nothing else."""
    return (
        data is not UNSET
        and value.count(b'"') == _ENVELOPE_QUOTES + _encode(data).count(b'"')
        and b'"specversion"' in value
        and (b"\\" not in value or _QUOTE_ESCAPE not in value)  # one byte is looked for much faster
    )


def flaw_in(value: bytes) -> Rejected | None:
    """What is wrong anywhere in a JSON text, also in fields that no struct reads; None when it is sound."""
    if _depth_of(value) > DEPTH_MAX:
        return Rejected(Reason.TOO_DEEP, f"nested deeper than {DEPTH_MAX} levels")
    try:
        whole = msgspec.json.decode(value)
        if value.count(b'"') == _encode(whole).count(b'"') and _QUOTE_ESCAPE not in value:
            return None
    except UnicodeDecodeError:
        return Rejected(Reason.NOT_UTF8, "a text is not UTF-8")
    except (OverflowError, msgspec.ValidationError, msgspec.EncodeError):
        pass  # a number out of range where no struct reads it
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
