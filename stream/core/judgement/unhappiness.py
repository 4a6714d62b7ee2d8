"""How unhappy a customer is, by what they said and what is unresolved, on the scale of at_risk_loyal."""

from __future__ import annotations

from stream.core.policy.policy import AtRiskLoyalRule

WORDS_MAX = 1e6
"""However little counts as fully unhappy by the policy: a number that is not finite cannot be read back."""


def opinion_drop(opinion: float, usual: float) -> float:
    """How far a negative opinion lies below the customer's usual sentiment, 0 to 2; 0 for one that is not."""
    return max(0.0, usual - opinion) if opinion < 0.0 else 0.0


def unhappy_words(opinion: float, confidence: float, drop: float, rule: AtRiskLoyalRule) -> float:
    """The unhappiness in what a customer said, 0 and up; from 1 on the customer counts as fully unhappy.

    The larger of a low opinion (-1 to 1) and a drop below the usual one (0 to 2), times the confidence (0 to
    1) that enough was said lately.
    """
    low = opinion / rule.sentiment_unhappy if rule.sentiment_unhappy < 0.0 else 0.0
    return confidence * min(max(0.0, low, drop / rule.drop_unhappy), WORDS_MAX)


def is_overdue(unresolved_ms: int, as_of_ms: int, rule: AtRiskLoyalRule) -> bool:
    """Whether a ticket or complaint that was opened at `unresolved_ms` has exhausted the rule's patience."""
    return as_of_ms - unresolved_ms >= rule.ticket_patience_ms
