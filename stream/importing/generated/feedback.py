"""Generated feedback about an order: reviews, surveys, support tickets and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from stream.core.events.event import Complained, Event, Reviewed, SurveyAnswered, TicketOpened, TicketResolved
from stream.core.events.payload import Review, Survey, SurveyAnswer, Ticket, TicketResolution
from stream.importing.generated.shop import SOURCE
from stream.importing.generated.texts import THEMES, rating, sentence


class OrderReference(Struct, frozen=True):
    """The order that the feedback is about."""

    id: str
    customer: str
    at: datetime
    product_id: str | None = None
    category: str | None = None


def contented_feedback(order: OrderReference, random: Random, share: float) -> Iterator[Event]:
    """Feedback of a contented customer: few reviews, about one in eight of them bad, and some NPS answers.

    `share` is the probability of a review, 0 to 1; an NPS answer is a third as likely.
    """
    at = _later(order.at, random, 2, 9)
    if random.random() < share:
        yield _review(order, at, random, random.choice(THEMES), positive=random.random() >= 0.12)
    if random.random() < share / 3:
        yield _nps_answer(order, _later(at, random, 0.1, 2), random.choice((7, 8, 9, 9, 10, 10)))


def unhappy_feedback(order: OrderReference, random: Random, theme: str) -> Iterator[Event]:
    """Feedback of a customer in trouble: most orders bring a bad review, a support ticket or a complaint."""
    at = _later(order.at, random, 1, 5)
    chance = random.random()
    if chance < 0.75:
        yield _review(order, at, random, theme, positive=False)
    if chance > 0.4:
        yield from _ticket(order, _later(at, random, 0.1, 1), random, theme)
    if chance > 0.7:
        yield _complaint(order, _later(at, random, 1, 3), random, theme)
    if random.random() < 0.3:
        yield _nps_answer(order, _later(at, random, 1, 4), random.choice((0, 1, 2, 3, 4)))


def _review(order: OrderReference, at: datetime, random: Random, theme: str, *, positive: bool) -> Event:
    return Reviewed(
        id=f"{order.id}-review",
        source=SOURCE,
        subject=order.customer,
        time=at,
        data=Review(
            review_id=f"{order.id}-review",
            rating=rating(random, positive=positive),
            rating_max=5,
            product_id=order.product_id,
            category=order.category,
            review_body=sentence(random, theme, positive=positive),
            language="en",
            order_id=order.id,
        ),
    )


def _nps_answer(order: OrderReference, at: datetime, score: int) -> Event:
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


def _ticket(order: OrderReference, at: datetime, random: Random, theme: str) -> Iterator[Event]:
    """A ticket about the theme; half of the tickets are resolved, after 30 to 200 hours."""
    name = f"{order.id}-ticket"
    opened = Ticket(
        ticket_id=name,
        topic=theme,
        text=sentence(random, theme, positive=False),
        order_id=order.id,
        channel="email",
    )
    yield TicketOpened(id=name, source=SOURCE, subject=order.customer, time=at, data=opened)
    if random.random() < 0.5:
        hours = random.randint(30, 200)
        settled = TicketResolution(ticket_id=name, topic=theme, resolution_s=hours * 3_600)
        done_at = at + timedelta(hours=hours)
        yield TicketResolved(
            id=f"{name}-resolved", source=SOURCE, subject=order.customer, time=done_at, data=settled
        )


def _complaint(order: OrderReference, at: datetime, random: Random, theme: str) -> Event:
    name = f"{order.id}-complaint"
    complaint = Ticket(
        ticket_id=name,
        topic=theme,
        text=sentence(random, theme, positive=False),
        order_id=order.id,
        channel="phone",
    )
    return Complained(id=name, source=SOURCE, subject=order.customer, time=at, data=complaint)


def _later(at: datetime, random: Random, least_days: float, most_days: float) -> datetime:
    return (at + random.uniform(least_days, most_days) * timedelta(days=1)).replace(microsecond=0)
