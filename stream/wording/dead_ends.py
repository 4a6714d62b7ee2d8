"""Where the relationship got stuck: the last step towards an order, and the last own doing before silence."""

from __future__ import annotations

from stream.core.facts.profile import Profile
from stream.core.units import DAY_MS
from stream.wording.amounts import date, days

TOUCHES = {
    "purchase.completed": "a purchase",
    "purchase.cancelled": "a cancelled order",
    "engagement.session_started": "a visit",
    "engagement.product_viewed": "a look at a product",
    "engagement.product_added": "something put into the cart",
    "engagement.product_removed": "something taken out of the cart",
    "engagement.wishlisted": "something put on the wish list",
    "engagement.checkout_started": "a checkout begun",
    "engagement.searched": "a search",
    "engagement.message_opened": "a message opened",
    "engagement.message_clicked": "a link in a message followed",
    "engagement.message_complained": "a message reported as spam",
    "engagement.message_unsubscribed": "leaving a mailing list",
    "engagement.loyalty_joined": "joining the loyalty programme",
    "engagement.loyalty_redeemed": "points redeemed",
    "engagement.promotion_clicked": "a promotion clicked",
    "engagement.promotion_redeemed": "a coupon redeemed",
    "feedback.reviewed": "a review",
    "feedback.survey_answered": "a survey answered",
    "feedback.ticket_opened": "a support ticket",
    "feedback.complained": "a complaint",
    "customer.consent_changed": "a change of consent",
}


def dead_end_lines(profile: Profile, as_of_ms: int) -> list[str]:
    """How far they came on the way to the next order, and the last touch before silence."""
    engagement, sums = profile.engagement, profile.buying.sums
    lines = []
    steps = (
        (engagement.checkout_at_ms, "began to check out"),
        (engagement.added_at_ms, "put something into the cart"),
        (engagement.viewed_at_ms, "looked at products"),
    )
    for at_ms, step in steps:
        if at_ms > sums.last_at_ms:
            lines.append(f"Since the last order they {step} ({date(at_ms)}) but did not buy.")
            break
    if profile.touch:
        silent = max(0.0, (as_of_ms - profile.touch_at_ms) / DAY_MS)
        touch = TOUCHES.get(profile.touch, "something else")
        lines.append(f"The last thing they did themselves was {touch}, {days(silent)} ago.")
    return lines
