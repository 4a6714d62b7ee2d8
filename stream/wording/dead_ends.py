"""Where a customer stopped: the last step towards an order, and the last activity of their own."""

from __future__ import annotations

from stream.core.calendar import Calendar
from stream.core.facts.profile import Profile
from stream.wording.amounts import ago, date

ACTIVITIES = {
    "purchase.completed": "a purchase",
    "purchase.cancelled": "cancelled an order",
    "engagement.session_started": "a visit",
    "engagement.product_viewed": "looked at a product",
    "engagement.product_added": "put a product into the cart",
    "engagement.product_removed": "took a product out of the cart",
    "engagement.wishlisted": "put a product on the wish list",
    "engagement.checkout_started": "started a checkout",
    "engagement.searched": "a search",
    "engagement.message_opened": "opened a message",
    "engagement.message_clicked": "clicked a link in a message",
    "engagement.message_complained": "reported a message as spam",
    "engagement.message_unsubscribed": "unsubscribed from messages",
    "engagement.loyalty_joined": "joined the loyalty programme",
    "engagement.loyalty_redeemed": "redeemed points",
    "engagement.promotion_clicked": "clicked a promotion",
    "engagement.promotion_redeemed": "redeemed a coupon",
    "feedback.reviewed": "wrote a review",
    "feedback.survey_answered": "answered a survey",
    "feedback.ticket_opened": "opened a support ticket",
    "feedback.complained": "complained",
    "customer.consent_changed": "changed a consent",
}
"""Event type -> what the customer did."""


def dead_end_lines(profile: Profile, as_of_ms: int, calendar: Calendar) -> list[str]:
    """How far they came towards the next order, and what they did last."""
    engagement, sums = profile.engagement, profile.buying.sums
    lines = []
    steps = (
        (engagement.checkout_at_ms, "started a checkout"),
        (engagement.added_at_ms, "put a product into the cart"),
        (engagement.viewed_at_ms, "looked at products"),
    )
    for at_ms, step in steps:
        if at_ms > sums.last_at_ms:
            lines.append(f"Since the last order they {step} ({date(at_ms, calendar)}), but did not buy.")
            break
    if profile.touch:
        when = ago(profile.touch_at_ms, as_of_ms, calendar)
        lines.append(f"Last activity: {ACTIVITIES.get(profile.touch, 'something else')}, {when}.")
    return lines
