"""A shop in which bad delivery makes some of the best customers leave, and nothing else does."""

from __future__ import annotations

import random
from typing import Any

from stream.core.events.event import Complained, Event, Reviewed
from stream.core.events.payload import Review, Ticket
from tests.support.builders import bought, when

DAYS = 480
LATE = (
    "My parcel came three weeks late.",
    "Delivery was terrible, it arrived a week after the promised date.",
    "The courier never showed up. Late delivery again.",
)
GLAD = ("Great product, love it.", "Very happy with my order.", "Fast delivery, thank you!")
GRUMBLES = ("The quality is poor, it broke.", "Too expensive for what it is.", "The app crashes.")


def shop(seed, customers=1_500, *, leave=0.7, share=0.35, how="review", planted=True):
    """Events in time order; and customer -> whether they left, for those with a planted bad delivery."""
    chance = random.Random(seed)
    lives = [
        (min(max(chance.gammavariate(1.3, 1 / 45), 1 / 200), 1 / 4), chance.lognormvariate(8.3, 0.6))
        for _ in range(customers)
    ]
    best = sorted(range(customers), key=lambda who: -lives[who][0] * lives[who][1])[: customers * 8 // 100]
    events: list[Event] = []
    fates: dict[Any, Any] = {}
    for who, (rate, basket) in enumerate(lives):
        start = chance.uniform(0, DAYS / 2)
        trouble_from = None
        if who in set(best) and chance.random() < share:
            trouble_from = start + chance.uniform(0.3, 0.75) * (DAYS - start)
        events += _life(chance, f"c{who}", (start, rate, basket), (trouble_from, leave, how, planted), fates)
    return sorted(events, key=lambda event: event.time), fates


def _life(chance, who, habit, plan, fates):
    at, rate, basket = habit
    trouble_from, leave, how, planted = plan
    ends = min(DAYS, at + chance.expovariate(1 / chance.gammavariate(3, 300)))
    number = 0
    while at < ends:
        number += 1
        yield bought(
            at, round(chance.gammavariate(4, basket / 4)) + 100, customer=who, order=f"{who}-{number}"
        )
        if chance.random() < 0.1:
            glad = chance.random() < 0.7
            grumbles = GRUMBLES if planted else GRUMBLES + LATE
            yield _review(
                at + chance.uniform(1, 8), who, number, chance.choice(GLAD if glad else grumbles), glad
            )
        if trouble_from is not None and at >= trouble_from and number >= 3 and who not in fates and planted:
            fates[who] = chance.random() < leave
            write = _review if how == "review" else _complained
            yield write(at + chance.uniform(1, 6), who, f"{number}-late", chance.choice(LATE), False)
            if fates[who]:
                return
        at += max(chance.expovariate(rate), 0.05)


def _review(day, who, number, text, glad):
    name = f"{who}-{number}-review"
    return Reviewed(
        id=name, source="/shop", subject=who, time=when(day),
        data=Review(review_id=name, rating=5 if glad else 1, rating_max=5, review_body=text),
    )  # fmt: skip


def _complained(day, who, number, text, glad):
    name = f"{who}-{number}-complaint"
    return Complained(
        id=name, source="/shop", subject=who, time=when(day),
        data=Ticket(ticket_id=name, topic="delivery", text=text),
    )  # fmt: skip
