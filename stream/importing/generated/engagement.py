"""The engagement of a generated customer: visits and a monthly newsletter; less of it in trouble."""

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
from stream.importing.generated.purchases import in_trouble, whole_seconds
from stream.importing.generated.shop import CATALOGUE, DAY, SOURCE, Customer, Shop

MINUTE = timedelta(minutes=1)
OPENED_SHARE, OPENED_IN_TROUBLE_SHARE, OPENED_AFTER_LEAVING_SHARE = 0.55, 0.2, 0.03
"""Probability that a customer opens a newsletter."""
UNSUBSCRIBES_AFTER_LEAVING_SHARE = 0.05
"""Of the newsletters that a customer who has left does not open."""


def identified(customer: Customer, random: Random) -> CustomerIdentified:
    """At the first order: how the customer was acquired, and whether marketing is allowed."""
    consent: ConsentStatus = "grant" if random.random() < 0.85 else "deny"
    acquired = Acquired(
        campaign=customer.campaign, channel=customer.channel, at=whole_seconds(customer.acquired_at)
    )
    return CustomerIdentified(
        id=f"{customer.id}-identified",
        source=SOURCE,
        subject=customer.id,
        time=whole_seconds(customer.acquired_at),
        data=Identity(
            acquired=acquired, consent={"marketing": consent}, timezone="Europe/Berlin", country="DE"
        ),
    )


def visit_before(purchase: PurchaseCompleted, random: Random) -> Iterator[Event]:
    """The visit that led to an order: products viewed, one put into the cart, the checkout."""
    session, subject = f"{purchase.id}-visit", purchase.subject
    at = purchase.time - random.randint(8, 40) * MINUTE
    yield SessionStarted(
        id=session, source=SOURCE, subject=subject, time=at, data=Session(session_id=session)
    )
    for place, line in enumerate(purchase.data.products[:3]):
        touch = ProductTouch(
            product_id=line.product_id,
            category=line.category,
            price_minor=line.price_minor,
            session_id=session,
        )
        viewed_at = at + (place + 1) * MINUTE
        yield ProductViewed(
            id=f"{session}-viewed-{place}", source=SOURCE, subject=subject, time=viewed_at, data=touch
        )
    added_at = at + 5 * MINUTE
    yield ProductAdded(id=f"{session}-added", source=SOURCE, subject=subject, time=added_at, data=touch)
    yield CheckoutStarted(
        id=f"{session}-checkout",
        source=SOURCE,
        subject=subject,
        time=at + 6 * MINUTE,
        data=Checkout(
            order_id=purchase.data.order_id, total_minor=purchase.data.total_minor, session_id=session
        ),
    )


def idle_visits(customer: Customer, shop: Shop, random: Random) -> Iterator[Event]:
    """Visits without an order: about as many as orders, fewer in trouble, none after the end of the life."""
    at, ends = customer.acquired_at, min(customer.dies_at, shop.ends)
    number = 0
    while (at := at + random.expovariate(customer.orders_per_day) * DAY) < ends:
        if in_trouble(customer, at) and random.random() < 0.6:
            continue
        number += 1
        session = f"{customer.id}-look-{number}"
        started_at = whole_seconds(at)
        category = random.choice(customer.likes)
        place = random.randrange(len(CATALOGUE[category]))
        yield SessionStarted(
            id=session, source=SOURCE, subject=customer.id, time=started_at, data=Session(session_id=session)
        )
        yield ProductViewed(
            id=f"{session}-viewed",
            source=SOURCE,
            subject=customer.id,
            time=started_at + MINUTE,
            data=ProductTouch(
                product_id=f"{category.rpartition('/')[2].lower()}-{place}",
                category=category,
                price_minor=CATALOGUE[category][place],
                session_id=session,
            ),
        )


def newsletters(customer: Customer, shop: Shop, random: Random) -> Iterator[Event]:
    """A newsletter on the first of every month at 9:00, until the customer unsubscribes."""
    for at in _firsts_of_month(customer.acquired_at, shop.ends):
        campaign = Campaign(id=f"newsletter-{at:%Y-%m}", source="newsletter", medium="email")
        message = MessageTouch(message_id=f"{customer.id}-{campaign.id}", channel="email", campaign=campaign)
        yield _message(MessageDelivered, "delivered", customer, message, at)
        has_left = at > customer.dies_at
        if random.random() >= _opened_share(customer, at):
            if has_left and random.random() < UNSUBSCRIBES_AFTER_LEAVING_SHARE:
                yield _message(MessageUnsubscribed, "unsubscribed", customer, message, at + 90 * MINUTE)
                return
            continue
        opened_at = whole_seconds(at + random.uniform(0.02, 2) * DAY)
        yield _message(MessageOpened, "opened", customer, message, opened_at)
        if random.random() < 0.3:
            yield _message(MessageClicked, "clicked", customer, message, opened_at + MINUTE)


def _opened_share(customer: Customer, at: datetime) -> float:
    if at > customer.dies_at:
        return OPENED_AFTER_LEAVING_SHARE
    return OPENED_IN_TROUBLE_SHARE if in_trouble(customer, at) else OPENED_SHARE


def loyalty_joined(customer: Customer, at: datetime) -> LoyaltyJoined:
    """The customer joins the loyalty programme."""
    return LoyaltyJoined(
        id=f"{customer.id}-joined",
        source=SOURCE,
        subject=customer.id,
        time=at,
        data=Loyalty(program_id="club"),
    )


def _message(
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
