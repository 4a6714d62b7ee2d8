"""The outcomes of decoding: an event, an unknown type, or a rejection with its reason.

The detail of a rejection says where the fault is and what was expected. It never quotes a value from the
input, because values are personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from stream.core.events.event import Event

TopicKind = Literal["purchases", "engagement", "feedback", "control"]
InputHeaders = Mapping[str, bytes | None] | Sequence[tuple[str, bytes | None]] | None


class Reason(StrEnum):
    """Why an input record is rejected: a closed set, used as metric label and in dead-letter headers."""

    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    WRONG_TOPIC = "wrong_topic"
    NULL_VALUE = "null_value"
    EMPTY_VALUE = "empty_value"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    COMPRESSED = "compressed"
    BATCH_TOO_LARGE = "batch_too_large"
    BATCH_DAMAGED = "batch_damaged"
    CONTENT_TYPE = "content_type"
    NOT_UTF8 = "not_utf8"
    INVALID_JSON = "invalid_json"
    DUPLICATE_FIELD = "duplicate_field"
    SCHEMA = "schema"
    TIME_IN_FUTURE = "time_in_future"
    TIME_OUT_OF_RANGE = "time_out_of_range"


class Rejected(Struct, frozen=True):
    """A record that goes to the dead-letter topic."""

    reason: Reason
    detail: str = ""


class Unknown(Struct, frozen=True):
    """A valid envelope of a type that this version does not know: counted and otherwise ignored."""

    type: str


Decoded = Event | Unknown | Rejected

_QUOTED = re.compile(r"'.*'", re.DOTALL)


def without_values(message: str) -> str:
    """msgspec's message without what it quotes from the input, 300 characters at most."""
    if message.startswith("Invalid"):
        message = _QUOTED.sub("'…'", message)
    return message[:300]
