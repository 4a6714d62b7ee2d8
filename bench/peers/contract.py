"""What a measured program is told, by environment variables, and the decoder and fold all Python peers share.

A peer joins consumer group BENCH_GROUP, folds the three input topics into 8 counters per customer, keeps the
rows durable in its own way, commits about twice a second, and runs until it is told to stop.
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
"""librdkafka's default of 1 s starves a fast reader (fetched: 290,000 against 1,000,000 events/s)."""
UNHAPPY_BELOW = 3


class Counters(msgspec.Struct, array_like=True, gc=False):
    """The toy row: 8 counters per customer."""

    purchases: int = 0
    spend_minor: int = 0
    items: int = 0
    touches: int = 0
    voices: int = 0
    unhappy: int = 0
    first_ms: int = 1 << 62
    last_ms: int = 0


def time_ms_of(event: Any) -> int:
    """Milliseconds since 1970."""
    return int(event.time.timestamp() * 1_000)


def fold(row: Counters, event: Any, time_ms: int) -> None:
    """Count one event in, of a time that is worked out once by whoever reads it."""
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
    """Strict decoder of every input type, told apart by the envelope's `type`."""
    return msgspec.json.Decoder(Union[tuple(kind for kinds in EVENT_TYPES.values() for kind in kinds)])  # noqa: UP007
