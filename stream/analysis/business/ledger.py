"""Everything that the business report counts, read once: facts, orders, money, incidents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stream.analysis.business.campaign_use import CampaignTouches, CampaignUse, joined_uses
from stream.analysis.business.payments import PaidOrders, Payment
from stream.core.currency import Exchange
from stream.core.events.event import (
    Complained,
    CostRecorded,
    Event,
    PurchaseRefunded,
    Reviewed,
    SurveyAnswered,
    TicketOpened,
)
from stream.core.facts.meaning import Meaning
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import History, apply_facts, in_order, take_snapshot

INCIDENT_EVENTS = frozenset({Reviewed, SurveyAnswered, TicketOpened, Complained, PurchaseRefunded})
"""Events that can show that something went wrong."""
DETRACTOR_MAX = 6.0
"""Highest answer, 0 to 10, of a detractor in the Net Promoter Score."""


@dataclass
class CampaignCost:
    """What one campaign has cost so far, in minor units."""

    campaign: str
    channel: str
    spend_minor: int = 0
    currency: str = ""


@dataclass
class Ledger:
    """A history of events with its money and incidents."""

    history: History = field(default_factory=History)
    payments: dict[str, list[Payment]] = field(default_factory=dict)
    """Customer -> payments in order of time: one for each order that was not cancelled, and the refunds. Only
    in the currency of `count_in`."""
    costs: dict[str, CampaignCost] = field(default_factory=dict)
    """Campaign -> its cost, in that currency."""
    moved: dict[str, dict[str, list[Payment]]] = field(default_factory=dict)
    """Currency -> payments in it, as above; amounts with a rate of the policy are exchanged."""
    spent: dict[str, dict[str, CampaignCost]] = field(default_factory=dict)
    """Currency -> campaign -> its cost."""
    used: dict[str, CampaignUse] = field(default_factory=dict)
    """Campaign -> whom it reached, who redeemed it, what was paid with it."""
    discounted: dict[str, int] = field(default_factory=dict)
    """Customer -> number of orders with a discount."""
    ordered: dict[str, dict[str, int]] = field(default_factory=dict)
    """Source -> customer -> number of orders."""
    discounting: set[str] = field(default_factory=set)
    """Sources in which some order has a discount: of the others it is not known which orders had one."""
    cost_ids: set[tuple[str, str]] = field(default_factory=set)
    """Source and id of every cost: one that comes again counts once."""
    incidents: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Customer -> (time, what went wrong): a blamed theme, a ticket or complaint, a low score, a return."""

    @classmethod
    def joined(cls, parts: Sequence[Ledger]) -> Ledger:
        """The ledger of all customers from those of parts of them; the costs are in one of the parts."""
        codes = sorted({code for part in parts for code in (*part.moved, *part.spent)})
        return cls(
            history=History.joined([part.history for part in parts]),
            moved={code: in_order([part.moved.get(code, {}) for part in parts]) for code in codes},
            spent={code: in_order([part.spent.get(code, {}) for part in parts]) for code in codes},
            used=joined_uses(part.used for part in parts),
            discounted=in_order([part.discounted for part in parts]),
            ordered={
                source: in_order([part.ordered.get(source, {}) for part in parts])
                for source in sorted({source for part in parts for source in part.ordered})
            },
            discounting={source for part in parts for source in part.discounting},
            incidents=in_order([part.incidents for part in parts]),
        )

    def count_in(self, currency: str) -> None:
        """From now on money is what was paid and spent in a currency: amounts of two are never added."""
        self.payments, self.costs = self.moved.get(currency, {}), self.spent.get(currency, {})

    def costs_minor(self) -> dict[str, int]:
        """Campaign -> what it cost in the currency of `count_in`, in minor units."""
        return {name: cost.spend_minor for name, cost in self.costs.items()}

    def other_money(self, currency: str) -> dict[str, dict[str, int]]:
        """What was paid (less refunds) and spent on campaigns in every other currency, in its minor units."""
        return {
            code: {
                "paid_minor": sum(one.minor for moved in self.moved.get(code, {}).values() for one in moved),
                "cost_minor": sum(cost.spend_minor for cost in self.spent.get(code, {}).values()),
            }
            for code in sorted({*self.moved, *self.spent} - {currency})
        }


def read_ledger(events: Iterable[Event], days_ms: Iterable[int], policy: Policy) -> Ledger:
    """Fold events in time order; take a snapshot at the end of each day of `days_ms` (midnights).

    All times of a ledger are what the clock of the business shows (stream/fit/history.py). Money counts in
    the policy's currency, else in the one that most customers pay in.
    """
    meaning = Meaning(policy)
    ledger, calendar = Ledger(History(calendar=meaning.calendar)), meaning.calendar
    history = ledger.history
    money = meaning.money
    waiting = sorted(days_ms)
    paid, touches = PaidOrders(), CampaignTouches()
    for event in events:
        at_ms = calendar.local_ms(event.time_ms)
        while waiting and at_ms >= waiting[0] + DAY_MS:
            day_ms = waiting.pop(0)
            history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms, calendar)
        history.note(event, at_ms)
        can_be_incident = type(event) in INCIDENT_EVENTS
        before = _incident_levels(history.profiles.get(event.subject)) if can_be_incident else None
        if not apply_facts(history.profiles, event, event.time_ms, meaning):
            continue  # it came before
        paid.note(event, at_ms, money)
        touches.note(event, at_ms)
        if type(event) is CostRecorded:
            _note_cost(ledger, event, money)
        if before is not None:
            after = _incident_levels(history.profiles.get(event.subject))
            news = [(at_ms, name) for name, level in after.items() if level and level != before.get(name, 0)]
            ledger.incidents.setdefault(event.subject, []).extend(news)
    for day_ms in waiting:
        history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms, calendar)
    ledger.moved, ledger.ordered = paid.moved(), paid.ordered()
    ledger.discounted, ledger.discounting = paid.discounted(), paid.discounting()
    ledger.used = touches.uses(paid.orders)
    payers = {currency: len(moved) for currency, moved in ledger.moved.items()}
    ledger.count_in(money.currency or min(payers, key=lambda code: (-payers[code], code), default=""))
    return ledger


def _incident_levels(profile: Profile | None) -> dict[str, float]:
    """Kind of incident -> a number that changes whenever it happens again; 0 for never."""
    if profile is None:
        return {}
    feedback = profile.feedback
    found: dict[str, float] = {f"blamed {theme}": one.blamed for theme, one in feedback.themes.items()}
    found["ticket or complaint"] = len(feedback.opened)
    found["detractor (NPS 0-6)"] = feedback.nps_at_ms if feedback.nps <= DETRACTOR_MAX else 0
    found["returned something"] = profile.buying.sums.refunded_minor
    return found


def _note_cost(ledger: Ledger, event: CostRecorded, money: Exchange) -> None:
    """Add what a campaign has cost, unless this record of it came before."""
    if (event.source, event.id) in ledger.cost_ids:
        return
    ledger.cost_ids.add((event.source, event.id))
    data = event.data
    minor, currency = money.counted(data.spend_minor, data.currency)
    costs = ledger.spent.setdefault(currency, {})
    cost = costs.setdefault(data.campaign.id, CampaignCost(data.campaign.id, data.channel or ""))
    cost.spend_minor += minor
    cost.currency = currency
