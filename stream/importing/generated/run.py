"""Generates the shop: its events in order of arrival, and its truth as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from stream.core.events.event import Event
from stream.importing.generated.disorder import Disorder, disordered
from stream.importing.generated.history import planned_lives, planted_truth, shop_events
from stream.importing.generated.shop import Shop


def generated_events(shop: Shop, disorder: Disorder, truth: BinaryIO | None) -> Iterator[Event]:
    """All events of the shop; `truth` is the open file for the planted truth (JSON), if any."""
    lives = planned_lives(shop)
    if truth is not None:
        truth.write(json.dumps(planted_truth(shop, lives), indent=1).encode())
    events = shop_events(shop, lives)
    return iter(events) if disorder == Disorder() else disordered(events, disorder, shop.seed)
