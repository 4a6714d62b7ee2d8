"""Everything that the business report counts, read once: facts, orders, money, incidents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stream.core.currency import Exchange
from stream.core.events.event import (
    Complained,
    CostRecorded,
    Event,
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
    Reviewed,
    SurveyAnswered,
    TicketOpened,
)
from stream.core.facts.meaning import Meaning
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import History, apply_facts, cancelled_name, in_order, order_name, take_snapshot

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


Amounts = dict[str, dict[str, tuple[int, str]]]
"""Customer -> order -> what was paid, in minor units of a currency."""


@dataclass
class Ledger:
    """A history of events with its money and incidents."""

    history: History = field(default_factory=History)
    payments: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Customer -> (time in milliseconds, amount in minor units); refunds and cancellations are negative. Only
    in the currency of `count_in`."""
    costs: dict[str, CampaignCost] = field(default_factory=dict)
    """Campaign -> its cost, in that currency."""
    moved: dict[str, dict[str, list[tuple[int, int]]]] = field(default_factory=dict)
    """Currency -> payments in it, as above; amounts with a rate of the policy are exchanged."""
    spent: dict[str, dict[str, CampaignCost]] = field(default_factory=dict)
    """Currency -> campaign -> its cost."""
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

    def other_money(self, currency: str) -> dict[str, dict[str, int]]:
        """What was paid (less refunds) and spent on campaigns in every other currency, in its minor units."""
        return {
            code: {
                "paid_minor": sum(
                    amount for moved in self.moved.get(code, {}).values() for _, amount in moved
                ),
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
    amounts: Amounts = {}
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
        _note_money(ledger, event, at_ms, amounts, money)
        if before is not None:
            after = _incident_levels(history.profiles.get(event.subject))
            news = [(at_ms, name) for name, level in after.items() if level and level != before.get(name, 0)]
            ledger.incidents.setdefault(event.subject, []).extend(news)
    for day_ms in waiting:
        history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms, calendar)
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


def _note_money(ledger: Ledger, event: Event, at_ms: int, amounts: Amounts, money: Exchange) -> None:
    """Record the money of an event; `amounts` keeps what is paid, for cancellations and new versions."""
    customer = event.subject
    if type(event) is PurchaseCompleted:
        orders, name = amounts.setdefault(customer, {}), order_name(event)
        before = orders.get(name)
        if before is not None:
            _move(ledger, customer, at_ms, -before[0], before[1])
        paid = orders[name] = money.counted(event.data.total_minor, event.data.currency)
        _move(ledger, customer, at_ms, *paid)
        if before is None:
            of_source = ledger.ordered.setdefault(event.source, {})
            of_source[customer] = of_source.get(customer, 0) + 1
        if event.data.discount_minor and before is None:
            ledger.discounted[customer] = ledger.discounted.get(customer, 0) + 1
            ledger.discounting.add(event.source)
    elif type(event) is PurchaseRefunded:
        back, currency = money.counted(event.data.refund_minor, event.data.currency)
        _move(ledger, customer, at_ms, -back, currency)
    elif type(event) is PurchaseCancelled:
        orders = amounts.get(customer, {})
        if (cancelled := cancelled_name(orders, event)) is not None:
            minor, currency = orders.pop(cancelled)
            _move(ledger, customer, at_ms, -minor, currency)
    elif type(event) is CostRecorded and (event.source, event.id) not in ledger.cost_ids:
        ledger.cost_ids.add((event.source, event.id))
        data = event.data
        minor, currency = money.counted(data.spend_minor, data.currency)
        costs = ledger.spent.setdefault(currency, {})
        cost = costs.setdefault(data.campaign.id, CampaignCost(data.campaign.id, data.channel or ""))
        cost.spend_minor += minor
        cost.currency = currency


def _move(ledger: Ledger, customer: str, at_ms: int, minor: int, currency: str) -> None:
    ledger.moved.setdefault(currency, {}).setdefault(customer, []).append((at_ms, minor))
