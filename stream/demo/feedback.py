"""Generated feedback for the demo, whose data set has none. Every such event has the source /generated.

About one household in eight is unhappy about one theme for some weeks; the others are mostly content.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from stream.core.events.event import Event, PurchaseCompleted
from stream.importing.event_order import EventOrder, event_order
from stream.importing.generated.feedback import OrderReference, contented_feedback, unhappy_feedback
from stream.importing.generated.texts import THEMES

UNHAPPY_SHARE = 0.12
"""Share of households that are unhappy for a while."""
UNHAPPY_DAYS = (30, 75)
"""Shortest and longest time for which they are."""
UNHAPPY_FEEDBACK_SHARE = 0.3
"""Probability that an unhappy household gives feedback after a basket; households buy about once a week."""
CONTENTED_FEEDBACK_SHARE = 0.03
"""The same for a content household; a third of this feedback is a review, a ninth an NPS answer."""
YEAR = (datetime.fromisoformat("2017-04-01T00:00:00Z"), datetime.fromisoformat("2018-01-01T00:00:00Z"))
"""Households become unhappy from April on, when their usual purchase rhythm is known."""


class UnhappyPeriod(Struct, frozen=True):
    """When a household is unhappy, and about what; `theme` is empty for a household that never is."""

    theme: str
    from_at: datetime
    to_at: datetime


def unhappy_period(seed: int, household: str) -> UnhappyPeriod:
    """Depends on the seed and the household alone."""
    random = Random(f"{seed}:mood:{household}")
    if random.random() >= UNHAPPY_SHARE:
        return UnhappyPeriod("", YEAR[1], YEAR[1])
    from_at = YEAR[0] + random.random() * (YEAR[1] - YEAR[0])
    days = random.uniform(*UNHAPPY_DAYS)
    return UnhappyPeriod(random.choice(THEMES), from_at, from_at + days * timedelta(days=1))


def with_feedback(events: Iterable[Event], seed: int) -> Iterator[Event]:
    """The given events in time order, and feedback after baskets up to the end of the year."""
    periods: dict[str, UnhappyPeriod] = {}
    waiting: list[tuple[EventOrder, Event]] = []
    for event in events:
        while waiting and waiting[0][0] < event_order(event):
            yield heapq.heappop(waiting)[1]
        yield event
        if isinstance(event, PurchaseCompleted):
            if event.subject not in periods:
                periods[event.subject] = unhappy_period(seed, event.subject)
            for feedback in _feedback_after(event, periods[event.subject], seed):
                if feedback.time < YEAR[1]:
                    heapq.heappush(waiting, (event_order(feedback), feedback))
    while waiting:
        yield heapq.heappop(waiting)[1]


def _feedback_after(purchase: PurchaseCompleted, unhappy: UnhappyPeriod, seed: int) -> Iterator[Event]:
    random = Random(f"{seed}:voice:{purchase.id}")
    first = purchase.data.products[0] if purchase.data.products else None
    order = OrderReference(
        purchase.data.order_id,
        purchase.subject,
        purchase.time,
        first.product_id if first else None,
        first.category if first else None,
    )
    if unhappy.from_at <= purchase.time < unhappy.to_at:
        if random.random() < UNHAPPY_FEEDBACK_SHARE:
            yield from unhappy_feedback(order, random, unhappy.theme)
    elif random.random() < CONTENTED_FEEDBACK_SHARE:
        yield from contented_feedback(order, random, 1 / 3)
