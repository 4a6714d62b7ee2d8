"""Feedback for households that gave none: seeded, of the source /generated, and told as generated on screen.

One household in eight turns sore about one theme for a while; the others are mostly content.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from stream.core.events.event import Event, PurchaseCompleted
from stream.importing.generated import voice
from stream.importing.generated.texts import THEMES
from stream.importing.in_time import in_time

SORE_SHARE = 0.12
SORE_DAYS = (30, 75)
SPEAKS_SORE = 0.3
"""The chance that a sore household says something after a basket; it shops once a week."""
SPEAKS_CONTENT = 0.01
YEAR = (datetime.fromisoformat("2017-04-01T00:00:00Z"), datetime.fromisoformat("2018-01-01T00:00:00Z"))
"""Moods turn from April on, when a household's usual rhythm is known."""


class Mood(Struct, frozen=True):
    """When a household is sore, and about what; `theme` is empty for those who never are."""

    theme: str
    from_at: datetime
    to_at: datetime


def mood(seed: int, household: str) -> Mood:
    """The same for a seed, whatever else is played."""
    random = Random(f"{seed}:mood:{household}")
    if random.random() >= SORE_SHARE:
        return Mood("", YEAR[1], YEAR[1])
    from_at = YEAR[0] + random.random() * (YEAR[1] - YEAR[0])
    return Mood(random.choice(THEMES), from_at, from_at + random.uniform(*SORE_DAYS) * timedelta(days=1))


def with_feedback(events: Iterable[Event], seed: int) -> Iterator[Event]:
    """The same events in time order, and what households say after their baskets, until the year is over."""
    moods: dict[str, Mood] = {}
    waiting: list[tuple[tuple[datetime, int, str], Event]] = []
    for event in events:
        while waiting and waiting[0][0] < in_time(event):
            yield heapq.heappop(waiting)[1]
        yield event
        if isinstance(event, PurchaseCompleted):
            if event.subject not in moods:
                moods[event.subject] = mood(seed, event.subject)
            for said in _said(event, moods[event.subject], seed):
                if said.time < YEAR[1]:
                    heapq.heappush(waiting, (in_time(said), said))
    while waiting:
        yield heapq.heappop(waiting)[1]


def _said(bought: PurchaseCompleted, mood: Mood, seed: int) -> Iterator[Event]:
    random = Random(f"{seed}:voice:{bought.id}")
    first = bought.data.products[0] if bought.data.products else None
    order = voice.Order(
        bought.data.order_id,
        bought.subject,
        bought.time,
        first.product_id if first else None,
        first.category if first else None,
    )
    if mood.from_at <= bought.time < mood.to_at:
        if random.random() < SPEAKS_SORE:
            yield from voice.sore(order, random, mood.theme)
    elif random.random() < SPEAKS_CONTENT * 3:
        yield from voice.content(order, random, 1 / 3)
