"""The order of events of one instant, the same wherever they come from: by type, source, id and content."""

from __future__ import annotations

import msgspec

from stream.core.events.event import PUBLICATIONS, Event, type_name

InstantOrder = tuple[bool, str, str, str, bytes]

_encode = msgspec.json.Encoder().encode


def instant_order(event: Event) -> InstantOrder:
    """Sort key of events with one `time_ms`.

    A model or policy that is published counts from its instant on, so it comes after the events of all
    customers. Of two events with one source and id the first in this order counts (facts/seen.py). Where even
    the type is the same, the smaller JSON comes first: which of the two does not matter, only that it is
    always the same.
    """
    kind = type(event)
    return kind in PUBLICATIONS, type_name(kind), event.source, event.id, _encode(event)
