"""What every peer does, its environment variables, and the decoder and fold that all Python peers share.

A peer joins consumer group BENCH_GROUP, folds the three input topics into 8 counters per customer, keeps the
rows durable by its own means, commits about twice a second, and runs until SIGTERM.
"""

from __future__ import annotations

import os
from typing import Any, Union

import msgspec

from stream.core.events.event import EVENT_TYPES, RANK, PurchaseCompleted, Reviewed

BOOTSTRAP = os.environ.get("BENCH_BOOTSTRAP", "")
GROUP = os.environ.get("BENCH_GROUP", "")
CHANGELOG = os.environ.get("BENCH_CHANGELOG", "")
STATE_DIR = os.environ.get("BENCH_STATE_DIR", "")
TOPICS = tuple(f"customers.{stream}.v1" for stream in ("purchases", "engagement", "feedback"))
PARTITIONS = 4
COMMIT_S = 0.5
FETCH_BACKOFF_MS = 10
"""librdkafka's default of 1 s starves a fast reader: it fetched 290,000 events/s, with 10 ms 1,000,000."""
UNHAPPY_BELOW = 3
"""Stars of five."""


class Counters(msgspec.Struct, array_like=True, gc=False):
    """The row of every peer: 8 counters per customer."""

    purchases: int = 0
    spend_minor: int = 0
    items: int = 0
    touches: int = 0
    voices: int = 0
    unhappy: int = 0
    first_ms: int = 1 << 62
    last_ms: int = 0


def time_ms_of(event: Any) -> int:
    """Event time in milliseconds since 1970."""
    return int(event.time.timestamp() * 1_000)


def fold(row: Counters, event: Any, time_ms: int) -> None:
    """Add one event to the counters; the caller computes `time_ms` once per event."""
    row.first_ms = min(row.first_ms, time_ms)
    row.last_ms = max(row.last_ms, time_ms)
    kind = type(event)
    if kind is PurchaseCompleted:
        row.purchases += 1
        row.spend_minor += event.data.total_minor
        row.items += len(event.data.products)
    elif RANK[kind] == 1:
        row.touches += 1
    else:
        row.voices += 1
        row.unhappy += kind is Reviewed and event.data.rating < UNHAPPY_BELOW


def decoder() -> msgspec.json.Decoder[Any]:
    """A strict decoder for all input types; the envelope's `type` decides which."""
    return msgspec.json.Decoder(Union[tuple(kind for kinds in EVENT_TYPES.values() for kind in kinds)])  # noqa: UP007
