"""Facts of engagement: what became of messages and visits per channel, and the steps towards an order."""

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

CHANNELS_KEPT = 12
OTHER_CHANNEL = "other"


class Channel(Struct, omit_defaults=True, gc=False):
    """One channel's counts; `warmth` is forward-decayed engagement, `last_at_ms` the last sign of life."""

    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    complained: int = 0
    sessions: int = 0
    warmth: float = 0.0
    last_at_ms: int = 0
    unsubscribed_at_ms: int = 0


class Engagement(Struct, omit_defaults=True, gc=False):
    """Everything known about how a customer engages."""

    channels: dict[str, Channel] = field(default_factory=dict)
    warmth: float = 0.0
    last_at_ms: int = 0
    sessions: int = 0
    searches: int = 0
    promotions: int = 0
    redeemed: int = 0
    viewed_at_ms: int = 0
    added_at_ms: int = 0
    checkout_at_ms: int = 0
    joined_at_ms: int = 0


def channel_of(engagement: Engagement, name: str) -> Channel:
    """The channel's record; beyond the kept number of names everything is `other`."""
    channels = engagement.channels
    channel = channels.get(name)
    if channel is None:
        if len(channels) >= CHANNELS_KEPT:
            name = OTHER_CHANNEL
        channel = channels.setdefault(name, Channel())
    return channel


def _warm(engagement: Engagement, at_ms: int, strength: float, channel: Channel | None = None) -> None:
    """A sign of life of the customer's own."""
    heat = strength * weight(at_ms, WARMTH_HALF_LIFE_MS)
    engagement.warmth += heat
    if at_ms > engagement.last_at_ms:
        engagement.last_at_ms = at_ms
    if channel is not None:
        channel.warmth += heat
        if at_ms > channel.last_at_ms:
            channel.last_at_ms = at_ms


def with_session(engagement: Engagement, at_ms: int, event: SessionStarted) -> None:
    """A visit."""
    channel = channel_of(engagement, event.data.channel)
    channel.sessions += 1
    engagement.sessions += 1
    _warm(engagement, at_ms, 1.0, channel)


def with_view(engagement: Engagement, at_ms: int, event: ProductViewed | ProductRemoved) -> None:
    """A product was looked at."""
    if at_ms > engagement.viewed_at_ms:
        engagement.viewed_at_ms = at_ms
    _warm(engagement, at_ms, 0.5)


def with_addition(engagement: Engagement, at_ms: int, event: ProductAdded | Wishlisted) -> None:
    """A product went into the cart or onto the wish list."""
    if at_ms > engagement.added_at_ms:
        engagement.added_at_ms = at_ms
    _warm(engagement, at_ms, 1.0)


def with_search(engagement: Engagement, at_ms: int, event: Searched) -> None:
    """The shop was searched."""
    engagement.searches += 1
    _warm(engagement, at_ms, 0.5)


def with_checkout(engagement: Engagement, at_ms: int, event: CheckoutStarted) -> None:
    """The customer began to check out."""
    if at_ms > engagement.checkout_at_ms:
        engagement.checkout_at_ms = at_ms
    _warm(engagement, at_ms, 1.5)


def with_delivery(engagement: Engagement, at_ms: int, event: MessageDelivered) -> None:
    """A message reached the customer: ours, not a sign of life of theirs."""
    channel_of(engagement, event.data.channel).delivered += 1


def with_bounce(engagement: Engagement, at_ms: int, event: MessageBounced) -> None:
    """A message did not reach the customer."""
    channel_of(engagement, event.data.channel).bounced += 1


def with_opening(engagement: Engagement, at_ms: int, event: MessageOpened) -> None:
    """A message was opened; a mail scanner's opening is none."""
    if not event.data.bot:
        channel = channel_of(engagement, event.data.channel)
        channel.opened += 1
        _warm(engagement, at_ms, 0.5, channel)


def with_click(engagement: Engagement, at_ms: int, event: MessageClicked) -> None:
    """A message's link was followed; a mail scanner's click is none."""
    if not event.data.bot:
        channel = channel_of(engagement, event.data.channel)
        channel.clicked += 1
        _warm(engagement, at_ms, 1.0, channel)


def with_spam_report(engagement: Engagement, at_ms: int, event: MessageComplained) -> None:
    """A message was called spam."""
    channel_of(engagement, event.data.channel).complained += 1


def with_unsubscription(engagement: Engagement, at_ms: int, event: MessageUnsubscribed) -> None:
    """The customer left a channel."""
    channel = channel_of(engagement, event.data.channel)
    if at_ms > channel.unsubscribed_at_ms:
        channel.unsubscribed_at_ms = at_ms


def with_joining(engagement: Engagement, at_ms: int, event: LoyaltyJoined) -> None:
    """The customer joined the loyalty programme; the first time counts."""
    if not engagement.joined_at_ms or at_ms < engagement.joined_at_ms:
        engagement.joined_at_ms = at_ms
    _warm(engagement, at_ms, 2.0)


def with_redemption(engagement: Engagement, at_ms: int, event: LoyaltyRedeemed | PromotionRedeemed) -> None:
    """Points or a coupon were redeemed."""
    engagement.redeemed += 1
    _warm(engagement, at_ms, 1.5)


def with_promotion(engagement: Engagement, at_ms: int, event: PromotionClicked) -> None:
    """A promotion was clicked."""
    engagement.promotions += 1
    _warm(engagement, at_ms, 1.0)
