"""Facts of engagement: messages and visits by channel, activities by month, and the steps towards an order.

`month` of the functions here is that of the event: months since January 1970 on the calendar of the business.
"""

from __future__ import annotations

from msgspec import Struct, field

from stream.core.events.event import (
    CheckoutStarted,
    LoyaltyJoined,
    LoyaltyRedeemed,
    MessageBounced,
    MessageClicked,
    MessageComplained,
    MessageDelivered,
    MessageOpened,
    MessageUnsubscribed,
    ProductAdded,
    ProductRemoved,
    ProductViewed,
    PromotionClicked,
    PromotionRedeemed,
    Searched,
    SessionStarted,
    Wishlisted,
)
from stream.core.facts.decay import WARMTH_HALF_LIFE_MS, weight
from stream.core.facts.months import add_to_month
from stream.core.facts.names import shared

CHANNELS_KEPT = 12
OTHER_CHANNEL = "other"
"""Counts all channels beyond the first `CHANNELS_KEPT` names."""


class Channel(Struct, omit_defaults=True, gc=False):
    """Engagement by one channel: counts of messages and visits. Instants: epoch ms, 0: never."""

    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    complained: int = 0
    """Messages reported as spam."""
    sessions: int = 0
    warmth: float = 0.0
    """Engagement score: weighted engagement events, forward-decayed with a half-life of 30 days
    (decay.py)."""
    last_at_ms: int = 0
    """The customer's last activity."""
    unsubscribed_at_ms: int = 0
    months: list[int] = field(default_factory=list)
    """Activities in this channel by month, a series of the last 25 months (months.py)."""


class Engagement(Struct, omit_defaults=True, gc=False):
    """How a customer engages, in all channels. Instants: epoch ms, 0: never."""

    channels: dict[str, Channel] = field(default_factory=dict)
    warmth: float = 0.0
    """Engagement score: weighted engagement events, forward-decayed with a half-life of 30 days
    (decay.py)."""
    last_at_ms: int = 0
    """The customer's last activity."""
    sessions: int = 0
    searches: int = 0
    promotions: int = 0
    """Promotions clicked."""
    redeemed: int = 0
    """Coupons and loyalty points redeemed, by number of redemptions."""
    viewed_at_ms: int = 0
    """The last product view, or removal from the cart."""
    added_at_ms: int = 0
    """The last addition to the cart or wish list."""
    checkout_at_ms: int = 0
    """The last checkout begun."""
    joined_at_ms: int = 0
    """When the customer joined the loyalty programme, the first time."""
    months: list[int] = field(default_factory=list)
    """Activities in no channel by month, such as views and searches: a series of the last 25 months
    (months.py). All activities of a month are these and those of the channels."""


def channel_of(engagement: Engagement, name: str) -> Channel:
    """The record of a channel, made if it is new; beyond `CHANNELS_KEPT` names that of `other`."""
    channels = engagement.channels
    channel = channels.get(name)
    if channel is None:
        if len(channels) >= CHANNELS_KEPT:
            name = OTHER_CHANNEL
        channel = channels.setdefault(shared(name), Channel())
    return channel


def _warm(
    engagement: Engagement, at_ms: int, month: int, strength: float, channel: Channel | None = None
) -> None:
    """Count an activity of the customer; `strength` is its weight in the engagement score."""
    heat = strength * weight(at_ms, WARMTH_HALF_LIFE_MS)
    engagement.warmth += heat
    if at_ms > engagement.last_at_ms:
        engagement.last_at_ms = at_ms
    if channel is None:
        add_to_month(engagement.months, month, 1)
    else:
        add_to_month(channel.months, month, 1)
        channel.warmth += heat
        if at_ms > channel.last_at_ms:
            channel.last_at_ms = at_ms


def with_session(engagement: Engagement, at_ms: int, event: SessionStarted, month: int) -> None:
    """A visit."""
    channel = channel_of(engagement, event.data.channel)
    channel.sessions += 1
    engagement.sessions += 1
    _warm(engagement, at_ms, month, 1.0, channel)


def with_view(engagement: Engagement, at_ms: int, event: ProductViewed | ProductRemoved, month: int) -> None:
    """A product was looked at."""
    if at_ms > engagement.viewed_at_ms:
        engagement.viewed_at_ms = at_ms
    _warm(engagement, at_ms, month, 0.5)


def with_addition(engagement: Engagement, at_ms: int, event: ProductAdded | Wishlisted, month: int) -> None:
    """A product went into the cart or onto the wish list."""
    if at_ms > engagement.added_at_ms:
        engagement.added_at_ms = at_ms
    _warm(engagement, at_ms, month, 1.0)


def with_search(engagement: Engagement, at_ms: int, event: Searched, month: int) -> None:
    """The shop was searched."""
    engagement.searches += 1
    _warm(engagement, at_ms, month, 0.5)


def with_checkout(engagement: Engagement, at_ms: int, event: CheckoutStarted, month: int) -> None:
    """The customer began to check out."""
    if at_ms > engagement.checkout_at_ms:
        engagement.checkout_at_ms = at_ms
    _warm(engagement, at_ms, month, 1.5)


def with_delivery(engagement: Engagement, at_ms: int, event: MessageDelivered, month: int) -> None:
    """A message reached the customer: the shop's activity, not the customer's."""
    channel_of(engagement, event.data.channel).delivered += 1


def with_bounce(engagement: Engagement, at_ms: int, event: MessageBounced, month: int) -> None:
    """A message did not reach the customer."""
    channel_of(engagement, event.data.channel).bounced += 1


def with_opening(engagement: Engagement, at_ms: int, event: MessageOpened, month: int) -> None:
    """A message was opened; openings by mail scanners do not count."""
    if not event.data.bot:
        channel = channel_of(engagement, event.data.channel)
        channel.opened += 1
        _warm(engagement, at_ms, month, 0.5, channel)


def with_click(engagement: Engagement, at_ms: int, event: MessageClicked, month: int) -> None:
    """A link in a message was followed; clicks by mail scanners do not count."""
    if not event.data.bot:
        channel = channel_of(engagement, event.data.channel)
        channel.clicked += 1
        _warm(engagement, at_ms, month, 1.0, channel)


def with_spam_report(engagement: Engagement, at_ms: int, event: MessageComplained, month: int) -> None:
    """A message was reported as spam."""
    channel_of(engagement, event.data.channel).complained += 1


def with_unsubscription(engagement: Engagement, at_ms: int, event: MessageUnsubscribed, month: int) -> None:
    """The customer unsubscribed from a channel."""
    channel = channel_of(engagement, event.data.channel)
    if at_ms > channel.unsubscribed_at_ms:
        channel.unsubscribed_at_ms = at_ms


def with_joining(engagement: Engagement, at_ms: int, event: LoyaltyJoined, month: int) -> None:
    """The customer joined the loyalty programme; the first time counts."""
    if not engagement.joined_at_ms or at_ms < engagement.joined_at_ms:
        engagement.joined_at_ms = at_ms
    _warm(engagement, at_ms, month, 2.0)


def with_redemption(
    engagement: Engagement, at_ms: int, event: LoyaltyRedeemed | PromotionRedeemed, month: int
) -> None:
    """Points or a coupon were redeemed."""
    engagement.redeemed += 1
    _warm(engagement, at_ms, month, 1.5)


def with_promotion(engagement: Engagement, at_ms: int, event: PromotionClicked, month: int) -> None:
    """A promotion was clicked."""
    engagement.promotions += 1
    _warm(engagement, at_ms, month, 1.0)
