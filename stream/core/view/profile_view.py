"""What is written of a customer for other programs: names, RFC 3339 times, money with its currency.

A profile row is a dump of state: decayed sums, fingerprints, positional arrays. Nobody else should read it.
This record says the same to a warehouse, a mail tool or a page: it holds as of its `time` (the header
`ce_time`), and is written again when something that it says has changed. So estimates are rounded: what
differs by less than anybody acts on is no news. It never holds texts of customers.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from stream.core.alerts.alert import PolicyRef
from stream.core.facts.profile import Stage

VIEW_VERSION = 1
"""Version of the schema of this record (schemas/profile_view/)."""
VIEW_SCHEMA = f"urn:customer-stream:profile_view:{VIEW_VERSION}"
VIEW_TYPE = "customer.profile"

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Time = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")]
"""RFC 3339 in UTC, with milliseconds."""
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A day of the business, by the time zone of the policy."""


class _ViewPart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the view's parts."""


class PurchasesView(_ViewPart, frozen=True):
    """What the customer bought. Money is of the orders in `currency` that have a price."""

    orders: int
    days: int
    """Distinct days with a purchase."""
    first_at: Time
    last_at: Time
    currency: Currency | None = None
    paid_minor: int | None = None
    """Money paid, refunds not taken off; None: no order has a price."""
    refunded_minor: int = 0
    mean_order_minor: int | None = None
    """Money paid for an order, on average."""
    orders_in_other_currencies: int = 0


class RiskView(_ViewPart, frozen=True):
    """The risk that the customer stops buying."""

    probability: float
    """That they do not buy again within their usual time, 0 to 1, rounded to hundredths."""
    meaning: str
    """The same in words."""


class ExpectedValueView(_ViewPart, frozen=True):
    """Profit to expect within the horizon, discounted, rounded to two figures, in minor units."""

    mean_minor: int
    p10_minor: int
    """1 in 10 such customers bring less."""
    p50_minor: int
    p90_minor: int
    """1 in 10 such customers bring more."""
    currency: Currency
    horizon_days: int
    meaning: str
    """The same in words."""


class EngagementView(_ViewPart, frozen=True):
    """Visits, clicks, messages and the loyalty programme."""

    last_on: Day | None = None
    """The day of the last visit, click or other sign of interest."""
    unsubscribed: tuple[str, ...] = ()
    """Channels whose messages they do not want any more."""
    loyalty_since: Day | None = None


class MoodView(_ViewPart, frozen=True):
    """What the customer said, as numbers and themes."""

    sentiment: float
    """Of recent feedback, -1 to 1, rounded to tenths; it fades to 0 when no more comes in."""
    meaning: str
    """The same as a word: very negative, negative, neutral, positive, very positive."""
    complaints: int = 0
    complains_about: tuple[str, ...] = ()
    """Themes of recent bad feedback, worst first."""
    open_tickets: int = 0
    """Tickets and complaints without an answer that ended them."""
    oldest_ticket_at: Time | None = None


class OpenAlertView(_ViewPart, frozen=True):
    """An alert that is open."""

    kind: str
    meaning: str
    """The kind in words."""
    state: str
    since: Time
    expires_at: Time
    episode: str
    """The `correlationid` of its records on the alerts topic."""
    arm: str = ""
    """Arm of the experiment; nobody may act on an alert of the arm `held_out`."""


class ProfileView(_ViewPart, frozen=True):
    """What is known of one customer, for other programs. A null value: the customer was erased."""

    customer: str
    stage: Stage
    policy: PolicyRef
    first_seen_at: Time
    tier: str | None = None
    """None: not ranked, as their money is in a currency without a rate."""
    tier_since: Time | None = None
    """None: the lowest tier, since the beginning."""
    country: str | None = None
    timezone: str | None = None
    campaign: str | None = None
    """The campaign that won the customer."""
    channel: str | None = None
    """The channel that won the customer."""
    consent: dict[str, str] = {}
    """Purpose -> `granted` or `denied`, as far as it was stated."""
    purchases: PurchasesView | None = None
    """None: never bought."""
    risk: RiskView | None = None
    """None: never bought."""
    expected_value: ExpectedValueView | None = None
    """None: not known what they pay."""
    top_categories: tuple[str, ...] = ()
    """Of what they bought, recently most first."""
    looks_at: str | None = None
    """The category that they look at most and never bought."""
    engagement: EngagementView = EngagementView()
    mood: MoodView | None = None
    """None: never said anything."""
    open_alerts: tuple[OpenAlertView, ...] = ()
