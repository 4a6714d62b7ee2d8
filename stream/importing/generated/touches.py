"""How a customer engages: visits around orders, and a monthly newsletter; less by those who turn away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from stream.core.events.event import (
    CheckoutStarted,
    CustomerIdentified,
    Event,
    LoyaltyJoined,
    MessageClicked,
    MessageDelivered,
    MessageOpened,
    MessageUnsubscribed,
    ProductAdded,
    ProductViewed,
    PurchaseCompleted,
    SessionStarted,
)
from stream.core.events.payload import (
    Acquired,
    Campaign,
    Checkout,
    ConsentStatus,
    Identity,
    Loyalty,
    MessageTouch,
    ProductTouch,
    Session,
)
from stream.importing.generated.life import SOURCE, in_trouble, whole_seconds
from stream.importing.generated.shop import CATALOGUE, DAY, Customer, Shop

MINUTE = timedelta(minutes=1)
LIVING, TROUBLED, GONE = 0.55, 0.2, 0.03
"""The chance that a newsletter is opened."""


def identified(customer: Customer, random: Random) -> CustomerIdentified:
    """Known from just before the first order on: by whom the customer was won, and what may be sent."""
    consent: ConsentStatus = "grant" if random.random() < 0.85 else "deny"
    won = Acquired(
        campaign=customer.campaign, channel=customer.channel, at=whole_seconds(customer.acquired_at)
    )
    return CustomerIdentified(
        id=f"{customer.id}-identified",
        source=SOURCE,
        subject=customer.id,
        time=whole_seconds(customer.acquired_at),
        data=Identity(acquired=won, consent={"marketing": consent}, timezone="Europe/Berlin", country="DE"),
    )


def visit_before(bought: PurchaseCompleted, random: Random) -> Iterator[Event]:
    """The visit that led to an order: views, the cart, the checkout."""
    session, subject = f"{bought.id}-visit", bought.subject
    at = bought.time - random.randint(8, 40) * MINUTE
    yield SessionStarted(
        id=session, source=SOURCE, subject=subject, time=at, data=Session(session_id=session)
    )
    for place, line in enumerate(bought.data.products[:3]):
        touch = ProductTouch(
            product_id=line.product_id,
            category=line.category,
            price_minor=line.price_minor,
            session_id=session,
        )
        seen_at = at + (place + 1) * MINUTE
        yield ProductViewed(
            id=f"{session}-viewed-{place}", source=SOURCE, subject=subject, time=seen_at, data=touch
        )
    put_at = at + 5 * MINUTE
    yield ProductAdded(id=f"{session}-added", source=SOURCE, subject=subject, time=put_at, data=touch)
    yield CheckoutStarted(
        id=f"{session}-checkout",
        source=SOURCE,
        subject=subject,
        time=at + 6 * MINUTE,
        data=Checkout(order_id=bought.data.order_id, total_minor=bought.data.total_minor, session_id=session),
    )


def idle_visits(customer: Customer, shop: Shop, random: Random) -> Iterator[Event]:
    """Visits that end without an order: as many as the orders, fewer in trouble, none after the end."""
    at, ends = customer.acquired_at, min(customer.dies_at, shop.ends)
    number = 0
    while (at := at + random.expovariate(customer.orders_per_day) * DAY) < ends:
        if in_trouble(customer, at) and random.random() < 0.6:
            continue
        number += 1
        session = f"{customer.id}-look-{number}"
        seen = whole_seconds(at)
        category = random.choice(customer.likes)
        place = random.randrange(len(CATALOGUE[category]))
        yield SessionStarted(
            id=session, source=SOURCE, subject=customer.id, time=seen, data=Session(session_id=session)
        )
        yield ProductViewed(
            id=f"{session}-viewed",
            source=SOURCE,
            subject=customer.id,
            time=seen + MINUTE,
            data=ProductTouch(
                product_id=f"{category.rpartition('/')[2].lower()}-{place}",
                category=category,
                price_minor=CATALOGUE[category][place],
                session_id=session,
            ),
        )


def newsletters(customer: Customer, shop: Shop, random: Random) -> Iterator[Event]:
    """On the first of every month at nine, until the customer unsubscribes."""
    for at in _firsts_of_month(customer.acquired_at, shop.ends):
        campaign = Campaign(id=f"newsletter-{at:%Y-%m}", source="newsletter", medium="email")
        message = MessageTouch(message_id=f"{customer.id}-{campaign.id}", channel="email", campaign=campaign)
        yield _touch(MessageDelivered, "delivered", customer, message, at)
        gone = at > customer.dies_at
        if random.random() >= (GONE if gone else TROUBLED if in_trouble(customer, at) else LIVING):
            if gone and random.random() < 0.05:
                yield _touch(MessageUnsubscribed, "unsubscribed", customer, message, at + 90 * MINUTE)
                return
            continue
        opened_at = whole_seconds(at + random.uniform(0.02, 2) * DAY)
        yield _touch(MessageOpened, "opened", customer, message, opened_at)
        if random.random() < 0.3:
            yield _touch(MessageClicked, "clicked", customer, message, opened_at + MINUTE)


def joined(customer: Customer, at: datetime) -> LoyaltyJoined:
    """The third order makes a member."""
    return LoyaltyJoined(
        id=f"{customer.id}-joined",
        source=SOURCE,
        subject=customer.id,
        time=at,
        data=Loyalty(program_id="club"),
    )


def _touch(
    kind: type[MessageDelivered] | type[MessageOpened] | type[MessageClicked] | type[MessageUnsubscribed],
    verb: str,
    customer: Customer,
    message: MessageTouch,
    at: datetime,
) -> Event:
    return kind(id=f"{message.message_id}-{verb}", source=SOURCE, subject=customer.id, time=at, data=message)


def _firsts_of_month(after: datetime, until: datetime) -> Iterator[datetime]:
    at = after.replace(day=1, hour=9, minute=0, second=0, microsecond=0)
    while (at := (at + 32 * DAY).replace(day=1)) < until:
        yield at
