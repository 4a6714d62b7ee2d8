"""Input events: CloudEvents 1.0 envelopes, one frozen struct for each event type.

The structs are the single source of the input contract: `stream.wire` decodes with them and `schemas/` is
exported from them. Unknown fields are ignored; unknown types are none of these structs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from stream.core.events.payload import (
    Action,
    ActionOutcome,
    Cancellation,
    Checkout,
    Consent,
    Erasure,
    Id,
    Identity,
    Instant,
    Loyalty,
    MarketingCost,
    MessageTouch,
    ModelRecord,
    ProductTouch,
    Promotion,
    Purchase,
    Refund,
    Review,
    Search,
    Session,
    SurveyAnswer,
    Tick,
    Ticket,
    TicketResolution,
)
from stream.core.events.policy_record import PolicyRecord
from stream.core.events.remarks import Acknowledgement, Mute, UndoneAction, Unmute
from stream.core.units import DAY_MS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Event(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """A CloudEvents 1.0 envelope: `subject` is the customer and the Kafka key, `time` is when it happened."""

    id: Id
    source: Annotated[str, Meta(min_length=1, max_length=1_024)]
    subject: Id
    time: Instant
    specversion: Literal["1.0"] = "1.0"

    @property
    def time_ms(self) -> int:
        """Event time, milliseconds since 1970-01-01 UTC.

        The same as `round(time.timestamp() * 1_000)`, in integers at half its cost. Near half a millisecond
        the rounding of that float decides, so there it is used.
        """
        since = self.time - EPOCH
        microseconds = since.microseconds
        if 499 <= microseconds % 1_000 <= 501:
            return round(self.time.timestamp() * 1_000)
        return since.days * DAY_MS + since.seconds * 1_000 + (microseconds + 499) // 1_000


class PurchaseCompleted(Event, frozen=True, kw_only=True, tag="purchase.completed"):
    data: Purchase


class PurchaseRefunded(Event, frozen=True, kw_only=True, tag="purchase.refunded"):
    data: Refund


class PurchaseCancelled(Event, frozen=True, kw_only=True, tag="purchase.cancelled"):
    data: Cancellation


class SessionStarted(Event, frozen=True, kw_only=True, tag="engagement.session_started"):
    data: Session


class ProductViewed(Event, frozen=True, kw_only=True, tag="engagement.product_viewed"):
    data: ProductTouch


class ProductAdded(Event, frozen=True, kw_only=True, tag="engagement.product_added"):
    data: ProductTouch


class ProductRemoved(Event, frozen=True, kw_only=True, tag="engagement.product_removed"):
    data: ProductTouch


class Wishlisted(Event, frozen=True, kw_only=True, tag="engagement.wishlisted"):
    data: ProductTouch


class CheckoutStarted(Event, frozen=True, kw_only=True, tag="engagement.checkout_started"):
    data: Checkout


class Searched(Event, frozen=True, kw_only=True, tag="engagement.searched"):
    data: Search


class MessageDelivered(Event, frozen=True, kw_only=True, tag="engagement.message_delivered"):
    data: MessageTouch


class MessageOpened(Event, frozen=True, kw_only=True, tag="engagement.message_opened"):
    data: MessageTouch


class MessageClicked(Event, frozen=True, kw_only=True, tag="engagement.message_clicked"):
    data: MessageTouch


class MessageBounced(Event, frozen=True, kw_only=True, tag="engagement.message_bounced"):
    data: MessageTouch


class MessageComplained(Event, frozen=True, kw_only=True, tag="engagement.message_complained"):
    data: MessageTouch


class MessageUnsubscribed(Event, frozen=True, kw_only=True, tag="engagement.message_unsubscribed"):
    data: MessageTouch


class LoyaltyJoined(Event, frozen=True, kw_only=True, tag="engagement.loyalty_joined"):
    data: Loyalty


class LoyaltyRedeemed(Event, frozen=True, kw_only=True, tag="engagement.loyalty_redeemed"):
    data: Loyalty


class PromotionClicked(Event, frozen=True, kw_only=True, tag="engagement.promotion_clicked"):
    data: Promotion


class PromotionRedeemed(Event, frozen=True, kw_only=True, tag="engagement.promotion_redeemed"):
    data: Promotion


class Reviewed(Event, frozen=True, kw_only=True, tag="feedback.reviewed"):
    data: Review


class SurveyAnswered(Event, frozen=True, kw_only=True, tag="feedback.survey_answered"):
    data: SurveyAnswer


class TicketOpened(Event, frozen=True, kw_only=True, tag="feedback.ticket_opened"):
    data: Ticket


class TicketResolved(Event, frozen=True, kw_only=True, tag="feedback.ticket_resolved"):
    data: TicketResolution


class Complained(Event, frozen=True, kw_only=True, tag="feedback.complained"):
    data: Ticket


class CustomerIdentified(Event, frozen=True, kw_only=True, tag="customer.identified"):
    data: Identity


class ConsentChanged(Event, frozen=True, kw_only=True, tag="customer.consent_changed"):
    data: Consent


class CustomerErased(Event, frozen=True, kw_only=True, tag="customer.erased"):
    data: Erasure | UnsetType = UNSET


class CostRecorded(Event, frozen=True, kw_only=True, tag="marketing.cost_recorded"):
    data: MarketingCost


class ActionTaken(Event, frozen=True, kw_only=True, tag="action.taken"):
    data: Action


class ActionResulted(Event, frozen=True, kw_only=True, tag="action.outcome"):
    data: ActionOutcome


class ActionAcknowledged(Event, frozen=True, kw_only=True, tag="action.acknowledged"):
    data: Acknowledgement


class ActionUndone(Event, frozen=True, kw_only=True, tag="action.undone"):
    data: UndoneAction


class CustomerMuted(Event, frozen=True, kw_only=True, tag="action.muted"):
    data: Mute


class CustomerUnmuted(Event, frozen=True, kw_only=True, tag="action.unmuted"):
    data: Unmute


class ClockTicked(Event, frozen=True, kw_only=True, tag="clock.ticked"):
    data: Tick | UnsetType = UNSET


class ModelPublished(Event, frozen=True, kw_only=True, tag="model.published"):
    data: ModelRecord


class PolicyPublished(Event, frozen=True, kw_only=True, tag="policy.published"):
    data: PolicyRecord


Publication = ModelPublished | PolicyPublished
"""What every customer is judged by from the event's time on."""
PUBLICATIONS = (ModelPublished, PolicyPublished)
PURCHASES: tuple[type[Event], ...] = (PurchaseCompleted, PurchaseRefunded, PurchaseCancelled)
ENGAGEMENT: tuple[type[Event], ...] = (
    SessionStarted,
    ProductViewed,
    ProductAdded,
    ProductRemoved,
    Wishlisted,
    CheckoutStarted,
    Searched,
    MessageDelivered,
    MessageOpened,
    MessageClicked,
    MessageBounced,
    MessageComplained,
    MessageUnsubscribed,
    LoyaltyJoined,
    LoyaltyRedeemed,
    PromotionClicked,
    PromotionRedeemed,
)
FEEDBACK: tuple[type[Event], ...] = (Reviewed, SurveyAnswered, TicketOpened, TicketResolved, Complained)
CONTROL: tuple[type[Event], ...] = (
    CustomerIdentified,
    ConsentChanged,
    CustomerErased,
    CostRecorded,
    ActionTaken,
    ActionResulted,
    ActionAcknowledged,
    ActionUndone,
    CustomerMuted,
    CustomerUnmuted,
    ClockTicked,
    ModelPublished,
    PolicyPublished,
)
EVENT_TYPES: dict[str, tuple[type[Event], ...]] = {
    "purchases": PURCHASES,
    "engagement": ENGAGEMENT,
    "feedback": FEEDBACK,
    "control": CONTROL,
}
"""Input topic -> its event types."""


def type_name(event_type: type[Event]) -> str:
    """The attribute `type` of the events of this struct."""
    return str(event_type.__struct_config__.tag)


EVENT_BY_NAME: dict[str, type[Event]] = {
    type_name(event_type): event_type for event_types in EVENT_TYPES.values() for event_type in event_types
}
"""Attribute `type` -> struct, for every event type."""

RANK: dict[type[Event], int] = {
    kind: rank for rank, kinds in enumerate(EVENT_TYPES.values()) for kind in kinds
}
"""Place of an event's topic in EVENT_TYPES: importers write events of one instant in this order."""
