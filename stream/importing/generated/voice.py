"""What a customer says: reviews, surveys, tickets and complaints after an order, in the mood of that day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from stream.core.events.event import Complained, Event, Reviewed, SurveyAnswered, TicketOpened, TicketResolved
from stream.core.events.payload import Review, Survey, SurveyAnswer, Ticket, TicketResolution
from stream.importing.generated.texts import THEMES, rating, sentence

SOURCE = "/generated"


class Order(Struct, frozen=True):
    """What is needed to speak of an order."""

    id: str
    customer: str
    at: datetime
    product_id: str | None = None
    category: str | None = None


def content(order: Order, random: Random, share: float) -> Iterator[Event]:
    """A customer who is well: a glad review now and then, one in eight a grumble, sometimes a survey."""
    at = _later(order.at, random, 2, 9)
    if random.random() < share:
        yield review(order, at, random, random.choice(THEMES), glad=random.random() >= 0.12)
    if random.random() < share / 3:
        yield nps(order, _later(at, random, 0.1, 2), random.choice((7, 8, 9, 9, 10, 10)))


def sore(order: Order, random: Random, theme: str) -> Iterator[Event]:
    """A customer in trouble: most orders bring a bad review, an unsettled ticket or a complaint."""
    at = _later(order.at, random, 1, 5)
    chance = random.random()
    if chance < 0.75:
        yield review(order, at, random, theme, glad=False)
    if chance > 0.4:
        yield from ticket(order, _later(at, random, 0.1, 1), random, theme)
    if chance > 0.7:
        yield complaint(order, _later(at, random, 1, 3), random, theme)
    if random.random() < 0.3:
        yield nps(order, _later(at, random, 1, 4), random.choice((0, 1, 2, 3, 4)))


def review(order: Order, at: datetime, random: Random, theme: str, *, glad: bool) -> Event:
    return Reviewed(
        id=f"{order.id}-review",
        source=SOURCE,
        subject=order.customer,
        time=at,
        data=Review(
            review_id=f"{order.id}-review",
            rating=rating(random, glad=glad),
            rating_max=5,
            product_id=order.product_id,
            category=order.category,
            review_body=sentence(random, theme, glad=glad),
            language="en",
            order_id=order.id,
        ),
    )


def nps(order: Order, at: datetime, score: int) -> Event:
    return SurveyAnswered(
        id=f"{order.id}-nps",
        source=SOURCE,
        subject=order.customer,
        time=at,
        data=SurveyAnswer(
            response_id=f"{order.id}-nps",
            survey=Survey(id="nps-after-order", kind="nps"),
            score=score,
            score_max=10,
            order_id=order.id,
        ),
    )


def ticket(order: Order, at: datetime, random: Random, theme: str) -> Iterator[Event]:
    name = f"{order.id}-ticket"
    said = Ticket(
        ticket_id=name,
        topic=theme,
        text=sentence(random, theme, glad=False),
        order_id=order.id,
        channel="email",
    )
    yield TicketOpened(id=name, source=SOURCE, subject=order.customer, time=at, data=said)
    if random.random() < 0.5:
        hours = random.randint(30, 200)
        settled = TicketResolution(ticket_id=name, topic=theme, resolution_s=hours * 3_600)
        done_at = at + timedelta(hours=hours)
        yield TicketResolved(
            id=f"{name}-resolved", source=SOURCE, subject=order.customer, time=done_at, data=settled
        )


def complaint(order: Order, at: datetime, random: Random, theme: str) -> Event:
    name = f"{order.id}-complaint"
    said = Ticket(
        ticket_id=name,
        topic=theme,
        text=sentence(random, theme, glad=False),
        order_id=order.id,
        channel="phone",
    )
    return Complained(id=name, source=SOURCE, subject=order.customer, time=at, data=said)


def _later(at: datetime, random: Random, least_days: float, most_days: float) -> datetime:
    return (at + random.uniform(least_days, most_days) * timedelta(days=1)).replace(microsecond=0)
