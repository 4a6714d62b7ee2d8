"""Ids derived from what they name: the same file gives the same ids every time."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

ID_MAX = 256


def event_id(kind: str, *names: str) -> str:
    """Readable while it is short enough, else a digest."""
    whole = "-".join((kind, *names))
    return whole if len(whole) <= ID_MAX else f"{kind}-{digest(*names)}"


def digest(*names: str) -> str:
    return hashlib.sha256("\x1f".join(names).encode(errors="replace")).hexdigest()[:32]


def instant(time_ms: int) -> datetime:
    """Exact: a float holds milliseconds of these centuries to a ten-millionth of a second."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC)
