"""Event ids made from the content: the same file gives the same ids at every import."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

ID_MAX = 256
"""Characters, as the event contract allows."""


def event_id(kind: str, *names: str) -> str:
    """`purchase-1001-ann` where that is short enough, else the kind and a hash of the names."""
    whole = "-".join((kind, *names))
    return whole if len(whole) <= ID_MAX else f"{kind}-{content_hash(*names)}"


def content_hash(*names: str) -> str:
    """32 hexadecimal digits of SHA-256."""
    return hashlib.sha256("\x1f".join(names).encode(errors="replace")).hexdigest()[:32]


def event_time(time_ms: int) -> datetime:
    """Milliseconds since 1970 as a UTC time. Exact: the error of the float is below a microsecond."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC)
