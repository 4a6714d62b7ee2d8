"""The seeded workload: JSON CloudEvents in time order, 20% purchases, 70% engagement, 10% feedback.

The same seed, number of events and customers give the same bytes. Event times span a year, so that reviews
of inactive customers fall due.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

from bench.texts import sentence_pool, text

DAY_MS = 86_400_000
START_MS = 1_420_070_400_000
"""2015-01-01. Long past: brokers refuse record times more than an hour ahead of their clock."""
START_DAY = START_MS // DAY_MS
CATEGORIES = ("coffee", "kitchen", "garden", "books", "toys", "sports", "beauty", "shoes")
ENGAGEMENT_MIX = (
    ("session_started", 25), ("product_viewed", 40), ("product_added", 8), ("checkout_started", 4),
    ("message_delivered", 10), ("message_opened", 6), ("message_clicked", 3), ("searched", 3),
    ("promotion_clicked", 0.5), ("loyalty_joined", 0.3), ("message_unsubscribed", 0.2),
)  # fmt: skip
FEEDBACK_MIX = (
    ("reviewed", 55), ("survey_answered", 25), ("ticket_opened", 12), ("ticket_resolved", 5),
    ("complained", 3),
)  # fmt: skip


class Workload(NamedTuple):
    """Size and seed of the workload; its events are spread evenly over `span_days` of event time."""

    events: int = 1_000_000
    customers: int = 50_000
    seed: int = 7
    span_days: int = 365


class Message(NamedTuple):
    """One event as it is produced."""

    stream: str  # purchases, engagement or feedback
    key: bytes
    value: bytes
    time_ms: int


class _Shop:
    """The payloads, drawn from one seeded generator."""

    def __init__(self, workload: Workload) -> None:
        self.rng = random.Random(workload.seed)
        self.pool = sentence_pool(self.rng)
        weights = [self.rng.gammavariate(0.8, 1.0) + 0.02 for _ in range(workload.customers)]
        self._cumulative = list(accumulate(weights))
        self._ids = range(workload.customers)

    def customers(self, count: int) -> list[int]:
        """Customer numbers, drawn by activity (gamma distributed): few customers come often, most seldom."""
        return self.rng.choices(self._ids, cum_weights=self._cumulative, k=count)

    def purchase(self) -> tuple[str, str]:
        rng, lines, total = self.rng, [], 0
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            price, quantity = 200 + int(rng.expovariate(1 / 2_500)), rng.choice((1, 1, 1, 2))
            total += price * quantity
            lines.append(
                f'{{"product_id":"p-{rng.randrange(4000)}","quantity":{quantity},"price_minor":{price},'
                f'"category":"{rng.choice(CATEGORIES)}"}}'
            )
        discount = total // 10 if rng.random() < 0.2 else 0
        return "purchase.completed", (
            f'{{"order_id":"o-{rng.getrandbits(48):012x}","total_minor":{total - discount},"currency":"EUR",'
            f'"products":[{",".join(lines)}],"discount_minor":{discount},"channel":"web"}}'
        )

    def engagement(self, kind: str) -> tuple[str, str]:
        rng = self.rng
        campaign = f'{{"id":"cmp-{rng.randrange(30)}","source":"newsletter","medium":"email"}}'
        session = f'"session_id":"s-{rng.getrandbits(40):010x}"'
        touch = f'"product_id":"p-{rng.randrange(4000)}","category":"{rng.choice(CATEGORIES)}"'
        data = {
            "session_started": f'{session},"channel":"web"',
            "product_viewed": f"{touch},{session}",
            "product_added": f'{touch},"price_minor":{200 + rng.randrange(9000)},{session}',
            "checkout_started": f'"total_minor":{1000 + rng.randrange(9000)},{session}',
            "searched": f'"query":"{rng.choice(CATEGORIES)} offers",{session}',
            "promotion_clicked": f'"promotion_id":"promo-{rng.randrange(20)}","campaign":{campaign}',
            "loyalty_joined": '"program_id":"club"',
        }.get(kind, f'"message_id":"m-{rng.getrandbits(40):010x}","channel":"email","campaign":{campaign}')
        return f"engagement.{kind}", f"{{{data}}}"

    def feedback(self, kind: str) -> tuple[str, str]:
        rng = self.rng
        ref, words = f"{rng.getrandbits(40):010x}", text(rng, self.pool)
        if kind == "reviewed":
            body = f',"review_body":"{words}"' if rng.random() < 0.8 else ""
            data = (
                f'"review_id":"r-{ref}","rating":{rng.choice((1, 2, 3, 4, 4, 5, 5, 5))},"rating_max":5{body}'
            )
        elif kind == "survey_answered":
            body = f',"text":"{words}"' if rng.random() < 0.3 else ""
            score = rng.choice((0, 3, 5, 6, 7, 8, 8, 9, 9, 10, 10))
            data = f'"response_id":"n-{ref}","survey":{{"id":"nps","kind":"nps"}},"score":{score}{body}'
        elif kind == "ticket_resolved":
            data = f'"ticket_id":"t-{ref}","resolution_s":{rng.randrange(200_000)}'
        else:
            data = f'"ticket_id":"t-{ref}","topic":"delivery","text":"{words}"'
        return f"feedback.{kind}", f"{{{data}}}"


def iso(time_ms: int, _days: dict[int, str] = {}) -> str:  # noqa: B006  (the default is the cache)
    """RFC 3339 in UTC with milliseconds."""
    day, rest = divmod(time_ms, DAY_MS)
    prefix = _days.get(day)
    if prefix is None:
        from datetime import UTC, datetime

        prefix = _days[day] = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%dT")
    seconds, ms = divmod(rest, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{prefix}{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}Z"


def _draws(rng: random.Random, mix: tuple[tuple[str, float], ...], count: int) -> list[str]:
    return rng.choices([name for name, _ in mix], [weight for _, weight in mix], k=count)


def messages(workload: Workload) -> Iterator[Message]:
    """All events in time order."""
    shop = _Shop(workload)
    rng = shop.rng
    step_ms = workload.span_days * DAY_MS / workload.events
    made, chunk = 0, 10_000
    while made < workload.events:
        count = min(chunk, workload.events - made)
        customers = shop.customers(count)
        touches, voices = _draws(rng, ENGAGEMENT_MIX, count), _draws(rng, FEEDBACK_MIX, count)
        for index in range(count):
            share = rng.random()
            stream, (kind, data) = (
                ("purchases", shop.purchase())
                if share < 0.2
                else ("engagement", shop.engagement(touches[index]))
                if share < 0.9
                else ("feedback", shop.feedback(voices[index]))
            )
            time_ms = START_MS + int((made + index + rng.random()) * step_ms)
            subject = f"c-{customers[index]:06d}"
            value = (
                f'{{"specversion":"1.0","id":"{rng.getrandbits(128):032x}","source":"/shop/web","type":"{kind}",'
                f'"subject":"{subject}","time":"{iso(time_ms)}","data":{data}}}'
            )
            yield Message(stream, subject.encode(), value.encode(), time_ms)
        made += count


def values(workload: Workload, wanted: Callable[[str], bool] = lambda _: True) -> list[bytes]:
    """The bytes of the events, of the wanted streams only, for benchmarks without Kafka."""
    return [message.value for message in messages(workload) if wanted(message.stream)]
