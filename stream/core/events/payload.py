"""The `data` part of each event: what happened, in Segment's words. Unknown fields are ignored.

Money is an integer number of minor units (cents) beside its ISO 4217 currency; a JSON float is rejected.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=20_000)]
Label = Annotated[str, Meta(max_length=256)]
Minor = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
ConsentStatus = Literal["grant", "deny", "revoked"]
Instant = Annotated[datetime, Meta(tz=True)]
Score = Annotated[float, Meta(ge=0, le=1_000)]
Best = Annotated[float, Meta(gt=0, le=1_000)]
SURVEY_BEST = {"nps": 10.0, "csat": 5.0, "ces": 7.0}


class EventData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of the `data` part of an event."""


class Campaign(EventData, frozen=True):
    """Segment's campaign context."""

    id: Id
    name: Label | None = None
    source: Label | None = None
    medium: Label | None = None
    term: Label | None = None
    content: Label | None = None


class Product(EventData, frozen=True):
    """One line of an order; `price_minor` is the price of one unit."""

    product_id: Id
    quantity: Quantity
    price_minor: Minor
    category: Label | None = None
    sku: Label | None = None
    brand: Label | None = None
    name: Label | None = None


class Purchase(EventData, frozen=True):
    """Segment's Order Completed. `total_minor` was paid; `discount_minor` was already taken off."""

    order_id: Id
    total_minor: Minor
    currency: Currency
    products: tuple[Product, ...]
    revenue_minor: Minor | None = None
    subtotal_minor: Minor | None = None
    tax_minor: Minor | None = None
    shipping_minor: Minor | None = None
    discount_minor: Minor = 0
    cost_minor: Minor | None = None
    coupon: Label | None = None
    affiliation: Label | None = None
    channel: Label | None = None
    campaign: Campaign | None = None
    payment_method: Label | None = None
    is_gift: bool = False
    subscription_id: Label | None = None


class Refund(EventData, frozen=True):
    """Segment's Order Refunded: part or all of an order's money goes back, at the event's own time."""

    refund_id: Id
    order_id: Id
    refund_minor: Minor
    currency: Currency
    products: tuple[Product, ...] = ()
    reason: Label | None = None
    restocked: bool | None = None
    fault: Literal["seller", "buyer", "carrier"] | None = None


class Cancellation(EventData, frozen=True):
    """Segment's Order Cancelled: the order never happened."""

    order_id: Id
    reason: Label | None = None


class ProductTouch(EventData, frozen=True):
    """A product viewed, put into or out of the cart, or wished for."""

    product_id: Id
    category: Label | None = None
    price_minor: Minor | None = None
    cart_id: Label | None = None
    session_id: Label | None = None


class Checkout(EventData, frozen=True):
    """The customer began to check out."""

    cart_id: Label | None = None
    order_id: Label | None = None
    total_minor: Minor | None = None
    session_id: Label | None = None


class Search(EventData, frozen=True):
    """Payload of engagement.searched: one search that the customer made, whether or not it found anything."""

    query: Label
    category: Label | None = None
    session_id: Label | None = None


class MessageTouch(EventData, frozen=True):
    """What became of one message sent to the customer; `bot` opens and clicks are not engagement."""

    message_id: Id
    channel: Label
    campaign: Campaign | None = None
    link: Annotated[str, Meta(max_length=2_048)] | None = None
    bot: bool = False


class Session(EventData, frozen=True):
    """A visit to the web shop, the app or a store."""

    session_id: Id
    channel: Label = "web"
    campaign: Campaign | None = None


class Loyalty(EventData, frozen=True):
    """Joined the loyalty programme, or redeemed in it."""

    program_id: Id
    points: int | None = None


class Promotion(EventData, frozen=True):
    """A promotion or coupon was clicked or redeemed."""

    promotion_id: Id
    campaign: Campaign | None = None
    channel: Label | None = None


class Sentiment(EventData, frozen=True):
    """A sentiment that an upstream model already measured, -1 to 1."""

    value: Annotated[float, Meta(ge=-1, le=1)]
    model: Label | None = None
    version: Label | None = None


class Review(EventData, frozen=True):
    """A product review; `rating` from `rating_min` to `rating_max` (stars: 1 to 5), else ValueError."""

    review_id: Id
    rating: Score
    rating_max: Best
    rating_min: Score = 1.0
    product_id: Id | None = None
    category: Label | None = None
    review_body: Text | None = None
    language: Label | None = None
    order_id: Id | None = None

    def __post_init__(self) -> None:
        if not self.rating_min <= self.rating <= self.rating_max:
            raise ValueError("rating is not from rating_min (1 unless stated) to rating_max")


class Survey(EventData, frozen=True):
    """Which survey: nps 0-10, csat 1-5 and ces 1-7 unless the answer's `score_max` says otherwise."""

    id: Id
    kind: Literal["nps", "csat", "ces"]


class SurveyAnswer(EventData, frozen=True):
    """One answer to a survey; `score` up to `score_max`, else ValueError (10 over 1e-308 is infinite)."""

    response_id: Id
    survey: Survey
    score: Score
    score_max: Best | None = None
    text: Text | None = None
    topic: tuple[Label, ...] = ()
    order_id: Id | None = None
    channel: Label | None = None

    def __post_init__(self) -> None:
        if self.score > (self.score_max or SURVEY_BEST[self.survey.kind]):
            raise ValueError("score is above score_max (unless stated, 10 for nps, 5 for csat, 7 for ces)")


class Ticket(EventData, frozen=True):
    """A support ticket or a complaint."""

    ticket_id: Id
    topic: Label | None = None
    text: Text | None = None
    sentiment: Sentiment | None = None
    order_id: Id | None = None
    channel: Label | None = None


class TicketResolution(EventData, frozen=True):
    """A ticket or complaint was settled."""

    ticket_id: Id
    topic: Label | None = None
    first_response_s: Annotated[int, Meta(ge=0)] | None = None
    resolution_s: Annotated[int, Meta(ge=0)] | None = None


class Acquired(EventData, frozen=True):
    """How and when the customer was won."""

    campaign: Label | None = None
    channel: Label | None = None
    at: Instant | None = None


class Identity(EventData, frozen=True):
    """What is known about the customer apart from behaviour."""

    acquired: Acquired | None = None
    consent: dict[Label, ConsentStatus] | None = None
    timezone: Label | None = None
    country: Label | None = None


class Consent(EventData, frozen=True):
    """Consent for one purpose was given, denied or taken back."""

    purpose: Label
    status: ConsentStatus


class Erasure(EventData, frozen=True):
    """The customer asked to be forgotten."""

    reason: Label | None = None


class Period(EventData, frozen=True, rename={"from_": "from"}):
    """A half-open span of time."""

    from_: Instant
    to: Instant


class MarketingCost(EventData, frozen=True):
    """Money spent on one campaign in one period. The envelope's subject is the campaign's id."""

    campaign: Campaign
    period: Period
    spend_minor: Minor
    currency: Currency
    channel: Label | None = None
    impressions: Annotated[int, Meta(ge=0)] | None = None
    clicks: Annotated[int, Meta(ge=0)] | None = None
    acquired_count: Annotated[int, Meta(ge=0)] | None = None


class Action(EventData, frozen=True):
    """Somebody acted on an alert."""

    alert_id: Id
    action: Label | None = None
    actor: Label | None = None
    channel: Label | None = None
    cost_minor: Minor | None = None


class ActionOutcome(EventData, frozen=True):
    """The outcome of an action on an alert."""

    alert_id: Id
    outcome: Literal["saved", "churned", "ignored"]


class Tick(EventData, frozen=True):
    """All input up to the event's time has been delivered: reviews that are due by then can be judged."""


class ModelRecord(EventData, frozen=True):
    """A fitted population model, in force for every customer from the event's time on."""

    model: Raw
