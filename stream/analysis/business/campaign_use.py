"""What became of each campaign among all customers, won by it or not: whom it reached, who redeemed it, and
what was paid with it.

An order belongs to a campaign that it names, and to one whose coupon its customer redeemed on the same day
of the business (docs/decisions/0053). Part of such orders would have come without the campaign: only an
experiment tells how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stream.analysis.business.payments import BookedOrder
from stream.core.events.event import (
    CostRecorded,
    Event,
    MessageClicked,
    MessageDelivered,
    MessageOpened,
    PromotionClicked,
    PromotionRedeemed,
    PurchaseCompleted,
    SessionStarted,
)
from stream.core.events.payload import Campaign
from stream.core.units import DAY_MS

REACHING = frozenset({MessageDelivered, MessageOpened, MessageClicked})
COMING = frozenset({MessageClicked, PromotionClicked, SessionStarted})
NAMING = REACHING | COMING | {PromotionRedeemed, PurchaseCompleted, CostRecorded}
"""Events that may name a campaign."""


@dataclass(frozen=True)
class PaidWith:
    """Orders that belong to one campaign, in one currency."""

    customers: int = 0
    orders: int = 0
    minor: int = 0
    """What was paid for them, in minor units; refunds are not taken off."""


@dataclass(frozen=True)
class CampaignUse:
    """One campaign. Counts of different customers add up; the money is by currency."""

    title: str = ""
    """Its name in the events, where one differs from its id."""
    reached: int = 0
    """Customers whom a message of it reached."""
    came: int = 0
    """Customers who clicked on it or visited by it."""
    redeemed: int = 0
    """Customers who redeemed a coupon of it."""
    redemptions: int = 0
    paid: Mapping[str, PaidWith] = field(default_factory=dict)
    """Currency -> orders that belong to it."""


@dataclass
class CampaignTouches:
    """What events say of campaigns, as they are read."""

    titles: dict[str, str] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)
    came: dict[str, set[str]] = field(default_factory=dict)
    redeemed: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    """Campaign -> (customer, day) -> coupons."""

    def note(self, event: Event, at_ms: int) -> None:
        """Record what an event says of its campaign, `at_ms` as the clock of the business shows it."""
        kind = type(event)
        campaign: Campaign | None = event.data.campaign if kind in NAMING else None  # type: ignore[attr-defined]
        if campaign is None:
            return
        title = campaign.name or ""
        if title and title != campaign.id:
            self.titles[campaign.id] = min(title, self.titles.get(campaign.id, title))
        if kind in REACHING:
            self.reached.setdefault(campaign.id, set()).add(event.subject)
        if kind in COMING:
            self.came.setdefault(campaign.id, set()).add(event.subject)
        if kind is PromotionRedeemed:
            coupons = self.redeemed.setdefault(campaign.id, {})
            place = event.subject, at_ms // DAY_MS
            coupons[place] = coupons.get(place, 0) + 1

    def uses(self, orders: Mapping[str, Mapping[str, BookedOrder]]) -> dict[str, CampaignUse]:
        """Each campaign with what became of it; `orders` are customer -> order."""
        paid = self._paid(orders)
        names = sorted({*self.titles, *self.reached, *self.came, *self.redeemed, *paid})
        return {
            name: CampaignUse(
                title=self.titles.get(name, ""),
                reached=len(self.reached.get(name, ())),
                came=len(self.came.get(name, ())),
                redeemed=len({customer for customer, _ in self.redeemed.get(name, ())}),
                redemptions=sum(self.redeemed.get(name, {}).values()),
                paid=paid.get(name, {}),
            )
            for name in names
        }

    def _paid(self, orders: Mapping[str, Mapping[str, BookedOrder]]) -> dict[str, dict[str, PaidWith]]:
        on_days: dict[tuple[str, int], set[str]] = {}
        for name, coupons in self.redeemed.items():
            for place in coupons:
                on_days.setdefault(place, set()).add(name)
        found: dict[str, dict[str, PaidWith]] = {}
        for customer, theirs in orders.items():
            mine: dict[tuple[str, str], list[int]] = {}
            for one in theirs.values():
                names = on_days.get((customer, one.at_ms // DAY_MS), set())
                for name in names | {one.campaign} if one.campaign else names:
                    mine.setdefault((name, one.currency), []).append(one.minor)
            for (name, currency), amounts in mine.items():
                of_campaign = found.setdefault(name, {})
                of_customer = PaidWith(1, len(amounts), sum(amounts))
                of_campaign[currency] = _added(of_campaign.get(currency, PaidWith()), of_customer)
        return found


def joined_uses(parts: Iterable[Mapping[str, CampaignUse]]) -> dict[str, CampaignUse]:
    """What became of each campaign among the customers of several parts, no customer of whom is in two."""
    found: dict[str, CampaignUse] = {}
    for part in parts:
        for name, use in part.items():
            found[name] = _both(found[name], use) if name in found else use
    return dict(sorted(found.items()))


def _both(one: CampaignUse, other: CampaignUse) -> CampaignUse:
    return CampaignUse(
        title=min(filter(None, (one.title, other.title)), default=""),
        reached=one.reached + other.reached,
        came=one.came + other.came,
        redeemed=one.redeemed + other.redeemed,
        redemptions=one.redemptions + other.redemptions,
        paid={
            code: _added(one.paid.get(code, PaidWith()), other.paid.get(code, PaidWith()))
            for code in sorted({*one.paid, *other.paid})
        },
    )


def _added(one: PaidWith, other: PaidWith) -> PaidWith:
    return PaidWith(one.customers + other.customers, one.orders + other.orders, one.minor + other.minor)


@dataclass(frozen=True)
class UsedCampaign:
    """One campaign with its money in one currency. The field names are keys of the report's JSON."""

    name: str
    title: str
    """Its name in the events; empty where that is its id."""
    reached: int
    came: int
    redeemed: int
    redemptions: int
    customers: int
    """Who have an order that belongs to it."""
    orders: int
    paid_minor: int
    cost_minor: int | None
    """None: no cost of it is recorded."""


def used_in(used: Mapping[str, CampaignUse], costs: Mapping[str, int], currency: str) -> list[UsedCampaign]:
    """Each campaign that was used or cost something, the most paid first; `costs`: campaign -> minor units of
    the currency."""
    found = []
    for name in {**used, **costs}:
        use = used.get(name, CampaignUse())
        paid = use.paid.get(currency, PaidWith())
        found.append(
            UsedCampaign(
                name, use.title, use.reached, use.came, use.redeemed, use.redemptions, paid.customers,
                paid.orders, paid.minor, costs.get(name),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (-one.paid_minor, -one.redeemed, -one.reached, one.name))
