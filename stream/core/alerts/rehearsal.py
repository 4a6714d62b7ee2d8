"""A remedy is tried out on a copy of the profile: events are folded, and the rule asked, as they would be.

Only the sections that orders and feedback change are copied; the others are read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from stream.core.events.event import Event, PurchaseCompleted, Reviewed, TicketResolved
from stream.core.events.payload import Purchase, Review, TicketResolution
from stream.core.facts.feedback import oldest_unresolved_ms
from stream.core.facts.fold import fold
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Buying
from stream.core.judgement import standing as standings
from stream.core.judgement.basis import Basis
from stream.core.judgement.rules import signal_of
from stream.core.judgement.standing import Standing
from stream.core.judgement.unhappiness import is_overdue
from stream.core.policy.policy import AlertKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEST_RATING = 5.0


class Rehearsal:
    """One alert of one customer, of which the end is tried out. The given profile is never changed.

    After each event the rule alone is asked, as the judgement would ask it: an open alert ends when its score
    is below the clear threshold. Reviews in between could only end it sooner.
    """

    def __init__(self, profile: Profile, kind: AlertKind, basis: Basis) -> None:
        self._kind = kind
        self._clear_at = basis.hysteresis[kind].clear_at
        self._basis = basis
        self._given = self._profile = profile
        self._events = 0
        self.usual_order_minor = usual_order_minor(profile.buying)
        self.is_over = False
        """Whether the alert has ended."""
        self.score = 1.0
        """The score after the last event."""
        self._unhappiness = 1.0

    def begin(self) -> None:
        """Once more from the profile as it is."""
        given = self._given
        self._profile = replace(
            given,
            feedback=given.feedback.copy(),
            buying=given.buying.copy(),
            interests=given.interests.copy(),
        )
        self._events = 0
        self.is_over = False

    def standing(self, at_ms: int) -> Standing:
        """The customer's standing at an instant."""
        return standings.standing(self._profile, at_ms, self._basis)

    def has_overdue_ticket(self, at_ms: int) -> bool:
        """Whether a ticket or complaint has waited too long."""
        since_ms = oldest_unresolved_ms(self._profile.feedback)
        return since_ms is not None and is_overdue(since_ms, at_ms, self._basis.policy.at_risk_loyal)

    def is_unhappy(self, at_ms: int) -> bool:
        """Whether what the customer said keeps the alert open."""
        if not self._events:
            self._unhappiness = self.standing(at_ms).unhappiness
        return self._unhappiness >= self._clear_at

    def order(self, at_ms: int, minor: int) -> None:
        """The customer pays so much, in minor units of their currency."""
        currency = self._profile.buying.currency
        name = self._next_name()
        purchase = Purchase(order_id=name, total_minor=minor, currency=currency, products=())
        self._do(PurchaseCompleted(**self._envelope(name, at_ms), data=purchase), at_ms)

    def praise(self, at_ms: int) -> None:
        """The customer gives the best rating."""
        name = self._next_name()
        review = Review(review_id=name, rating=BEST_RATING, rating_max=BEST_RATING)
        self._do(Reviewed(**self._envelope(name, at_ms), data=review), at_ms)

    def resolve_tickets(self, at_ms: int) -> None:
        """Every open ticket and complaint is resolved."""
        feedback = self._profile.feedback
        for ticket in [ticket for ticket in feedback.opened if ticket not in feedback.resolved]:
            resolution = TicketResolution(ticket_id=ticket)
            self._do(TicketResolved(**self._envelope(self._next_name(), at_ms), data=resolution), at_ms)

    def _do(self, event: Event, at_ms: int) -> None:
        profile = self._profile
        fold(profile, event, at_ms, self._basis.meaning)
        now = self.standing(at_ms)
        signal = signal_of(self._kind, now, profile, self._basis)
        self._unhappiness = now.unhappiness
        self.score = signal.score if signal is not None else 0.0
        self.is_over = self.is_over or self.score < self._clear_at

    def _next_name(self) -> str:
        self._events += 1
        return f"rehearsal {self._events}"

    def _envelope(self, name: str, at_ms: int) -> dict[str, Any]:
        time = EPOCH + timedelta(milliseconds=at_ms)
        return {"id": name, "source": "/rehearsal", "subject": self._profile.customer, "time": time}


def usual_order_minor(buying: Buying) -> int:
    """What a recent order (half-life 90 days) of the customer was worth on average, in minor units."""
    sums = buying.sums
    return max(0, round(sums.basket_sum / sums.basket_weight)) if sums.basket_weight else 0
