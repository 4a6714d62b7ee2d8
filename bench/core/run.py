"""The full job of one worker in a single loop: decode, due reviews, step, and the rows of each flush.

Events come in order of time over all partitions; a changed row is encoded once per flush, as in the engine.
"""

from __future__ import annotations

import gc
import heapq
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct, json

from bench.workload import Message
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review
from stream.engine.run import GC_THRESHOLDS
from stream.wire import decode

FLUSH_EVERY = 10_000
PARTITIONS = 4


class Seconds(NamedTuple):
    """CPU seconds of a whole run, by part."""

    decode: float
    step: float
    reviews: float
    encode: float


class Costs(Struct):
    """CPU microseconds per event by part, over all events; `by_type` is per event of that type."""

    decode: float = 0.0
    step: float = 0.0
    reviews: float = 0.0
    encode: float = 0.0
    total: float = 0.0
    events: int = 0
    reviewed: int = 0
    rows: int = 0
    row_bytes: float = 0.0
    alerts: int = 0
    by_type: dict[str, tuple[int, float, float]] = {}
    """Type -> (events, microseconds to decode, microseconds to step)."""


def decoded(messages: Sequence[Message]) -> tuple[list[Event], float, dict[str, float]]:
    """Every event as the worker decodes it; CPU seconds in all, and by event type."""
    clock = time.process_time
    seconds: defaultdict[str, float] = defaultdict(float)
    events: list[Event] = []
    kinds: list[Any] = [message.stream for message in messages]
    began = clock()
    for message, kind in zip(messages, kinds, strict=True):
        start = clock()
        event = decode(kind, message.key, message.value)
        seconds[type(event).__name__] += clock() - start
        events.append(event)  # type: ignore[arg-type]
    return events, clock() - began, seconds


class Shop:
    """All profiles, the due reviews, and the profiles changed since the last flush."""

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self.profiles: dict[str, Profile] = {}
        self.changed: dict[str, Profile] = {}
        self.reviews: list[tuple[int, str]] = []
        self.alerts = self.reviewed = 0

    def keep(self, profile: Profile, before: int | None) -> None:
        self.changed[profile.customer] = profile
        review_ms = profile.next_review_ms
        if review_ms is not None and review_ms != before:
            heapq.heappush(self.reviews, (review_ms, profile.customer))

    def review(self, until_ms: int) -> None:
        """Review every profile that is due by `until_ms`, each at its own due time."""
        reviews, profiles, basis = self.reviews, self.profiles, self.basis
        while reviews and reviews[0][0] <= until_ms:
            review_ms, customer = heapq.heappop(reviews)
            profile = profiles[customer]
            if profile.next_review_ms != review_ms:
                continue
            self.reviewed += 1
            self.alerts += len(on_review(profile, review_ms, basis).alerts)
            self.keep(profile, review_ms)

    def step(self, event: Event) -> None:
        profile = self.profiles.get(event.subject)
        before = profile.next_review_ms if profile else None
        step = on_event(profile, event, self.basis)
        self.alerts += len(step.alerts)
        if step.profile is not None:
            self.profiles[event.subject] = step.profile
            self.keep(step.profile, before)


def measure(messages: Sequence[Message], basis: Basis, flush_every: int = FLUSH_EVERY) -> Costs:
    """Run all messages once, with the garbage collector frozen, and called as seldom, as in the worker."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    events, decode_s, decode_by = decoded(messages)
    shop, clock, encode = Shop(basis), time.process_time, json.Encoder().encode
    counts: defaultdict[str, int] = defaultdict(int)
    step_by: defaultdict[str, float] = defaultdict(float)
    review_s = encode_s = 0.0
    sizes: list[int] = []
    for number, event in enumerate(events, 1):
        name = type(event).__name__
        start = clock()
        shop.review(event.time_ms)
        middle = clock()
        shop.step(event)
        step_by[name] += clock() - middle
        review_s += middle - start
        counts[name] += 1
        if number % flush_every == 0 or number == len(events):
            start = clock()
            encoded = [encode(row) for row in shop.changed.values()]
            encode_s += clock() - start
            sizes.extend(map(len, encoded))
            shop.changed.clear()
    seconds = Seconds(decode_s, sum(step_by.values()), review_s, encode_s)
    by_type = {
        name: (count, decode_by[name] / count * 1e6, step_by[name] / count * 1e6)
        for name, count in sorted(counts.items(), key=lambda item: -step_by[item[0]])
    }
    return costs(seconds, shop, sizes, by_type, len(events))


def costs(
    seconds: Seconds,
    shop: Shop,
    row_sizes: Sequence[int],
    by_type: dict[str, tuple[int, float, float]],
    events: int,
) -> Costs:
    """The measured CPU seconds as microseconds per event; sizes of rows in bytes."""
    return Costs(
        decode=seconds.decode / events * 1e6,
        step=seconds.step / events * 1e6,
        reviews=seconds.reviews / events * 1e6,
        encode=seconds.encode / events * 1e6,
        total=sum(seconds) / events * 1e6,
        events=events,
        reviewed=shop.reviewed,
        rows=len(row_sizes),
        row_bytes=sum(row_sizes) / max(1, len(row_sizes)),
        alerts=shop.alerts,
        by_type=by_type,
    )
