"""Everything the business report counts, read once: facts, orders, money and costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.text.themes import ThemeReader
from stream.core.units import DAY_MS
from stream.fit.history import History, apply_facts, take_snapshot

SORE = frozenset({Reviewed, SurveyAnswered, TicketOpened, Complained, PurchaseRefunded})
"""Events that can tell of something gone wrong."""
DETRACTOR_MAX = 6.0


@dataclass
class Cost:
    """What one campaign cost so far."""

    campaign: str
    channel: str
    spend_minor: int = 0
    currency: str = ""


@dataclass
class Books:
    """A history with its money."""

    history: History = field(default_factory=History)
    paid: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Per customer, money in and (negative) out, in the order it moved."""
    costs: dict[str, Cost] = field(default_factory=dict)
    discounted: dict[str, int] = field(default_factory=dict)
    """Per customer, orders with a discount."""
    suffered: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Per customer, what went wrong and when: a theme blamed, a ticket, a low score, a return."""


def read_books(events: Iterable[Event], days_ms: Iterable[int], policy: Policy) -> Books:
    """Fold events in time order; a snapshot is taken as of each asked midnight."""
    books, reader = Books(), ThemeReader(policy.themes, policy.lexicon)
    history = books.history
    waiting = sorted(days_ms)
    amounts: dict[tuple[str, str], int] = {}
    for event in events:
        at_ms = event.time_ms
        while waiting and at_ms >= waiting[0] + DAY_MS:
            day_ms = waiting.pop(0)
            history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms)
        history.note(event, at_ms)
        _note_money(books, event, at_ms, amounts)
        before = _sore(history.profiles.get(event.subject)) if type(event) in SORE else None
        apply_facts(history.profiles, event, at_ms, reader)
        if before is not None:
            after = _sore(history.profiles.get(event.subject))
            news = [(at_ms, name) for name, level in after.items() if level and level != before.get(name, 0)]
            books.suffered.setdefault(event.subject, []).extend(news)
    for day_ms in waiting:
        history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms)
    return books


def _sore(profile: Profile | None) -> dict[str, float]:
    """What went wrong so far: each number changes when it happens again."""
    if profile is None:
        return {}
    feedback = profile.feedback
    found: dict[str, float] = {f"blamed {theme}": one.blamed for theme, one in feedback.themes.items()}
    found["ticket or complaint"] = len(feedback.opened)
    found["detractor (NPS 0-6)"] = feedback.nps_at_ms if feedback.nps <= DETRACTOR_MAX else 0
    found["returned something"] = profile.buying.sums.refunded_minor
    return found


def _note_money(books: Books, event: Event, at_ms: int, amounts: dict[tuple[str, str], int]) -> None:
    customer = event.subject
    if type(event) is PurchaseCompleted:
        amounts[customer, event.data.order_id] = event.data.total_minor
        books.paid.setdefault(customer, []).append((at_ms, event.data.total_minor))
        if event.data.discount_minor:
            books.discounted[customer] = books.discounted.get(customer, 0) + 1
    elif type(event) is PurchaseRefunded:
        books.paid.setdefault(customer, []).append((at_ms, -event.data.refund_minor))
    elif type(event) is PurchaseCancelled:
        amount = amounts.pop((customer, event.data.order_id), 0)
        books.paid.setdefault(customer, []).append((at_ms, -amount))
    elif type(event) is CostRecorded:
        data = event.data
        cost = books.costs.setdefault(data.campaign.id, Cost(data.campaign.id, data.channel or ""))
        cost.spend_minor += data.spend_minor
        cost.currency = data.currency
