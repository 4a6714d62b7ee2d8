"""Events of a data set or of the generated shop go to one file, and are counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from stream.core.events.event import Event, type_name
from stream.recording.event_file import atomic_writer


def write_events(
    read: Callable[[], Iterable[Event]], out: Path, advance: Callable[[], None]
) -> dict[str, Any]:
    """Write one JSON line for each event; returns the counts by type, the first and the last event time.

    `read` starts the reading, so that its work counts in the seconds; `advance` is called for each event.
    """
    encode = msgspec.json.Encoder().encode
    types: Counter[type[Event]] = Counter()
    event: Event | None = None
    began, first_at = time.monotonic(), None
    with atomic_writer(out) as file:
        for event in read():
            file.write(encode(event) + b"\n")
            types[type(event)] += 1
            first_at = first_at or event.time
            advance()
    return {
        "events": types.total(),
        "types": {type_name(kind): types[kind] for kind in sorted(types, key=str)},
        "first_at": first_at and first_at.isoformat(),
        "last_at": event and event.time.isoformat(),
        "out": str(out),
        "seconds": round(time.monotonic() - began, 1),
    }
