"""How much a score has risen lately: what is new about a customer, beside how bad it is.

Two customers with a churn risk of 80% need not be news alike: one slipped there this month, the other has
been there for half a year. People act on the first (docs/decisions/0029).
"""

from __future__ import annotations

from stream.core.facts.feedback import Feedback
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.rules import signal_of
from stream.core.judgement.standing import Standing, standing
from stream.core.judgement.unhappiness import is_overdue
from stream.core.policy.policy import AlertKind


def score_before(kind: AlertKind, profile: Profile, since_ms: int, basis: Basis) -> float:
    """The score of a kind of alert at `since_ms`, 0 to 1, as far as the facts of today tell it.

    A purchase after `since_ms` began the present silence: the score is that of the instant of the purchase.
    Feedback after it cannot be taken out of the sums again, so no opinion is taken to have been known before
    it: what was heard since counts as new. Tickets are known one by one, and count as they stood then. 0
    where the kind was not about the customer then.
    """
    then_ms = max(since_ms, profile.buying.sums.last_at_ms)
    then = standing(profile, then_ms, basis)
    if profile.feedback.last_at_ms > then_ms:
        _without_opinion(then, profile.feedback, basis)
    signal = signal_of(kind, then, profile, basis)
    return signal.score if signal is not None else 0.0


def _without_opinion(then: Standing, feedback: Feedback, basis: Basis) -> None:
    """Leave only the tickets that were open then."""
    rule, at_ms, resolved = basis.policy.at_risk_loyal, then.as_of_ms, feedback.resolved
    then.opinion = then.confidence = then.drop = 0.0
    waiting = [
        opened_ms
        for ticket, opened_ms in feedback.opened.items()
        if opened_ms <= at_ms and not resolved.get(ticket, at_ms + 1) <= at_ms
    ]
    then.unresolved_ms = min(waiting, default=None)
    overdue = then.unresolved_ms is not None and is_overdue(then.unresolved_ms, at_ms, rule)
    then.unhappiness = rule.ticket_weight if overdue else 0.0
