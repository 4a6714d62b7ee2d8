"""What would clear an alert of each kind, found by trying remedies out on the rule's own formulas."""

from __future__ import annotations

import math

from msgspec import structs

from stream.core.alerts.alert import Remedy
from stream.core.facts.decay import BASKET_HALF_LIFE_MS
from stream.core.facts.feedback import PRIOR_WEIGHT
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import Standing
from stream.core.judgement.unhappiness import is_overdue, opinion_drop, unhappy_words
from stream.core.risk.churn import risk_score
from stream.core.units import DAY_MS

TRIES_MAX = 5
"""Orders or pieces of feedback that are tried; a remedy never asks for more."""


Clearing = tuple[list[Remedy], float]
"""Everything that has to happen for an alert to clear, and the score that is left then."""


def loyalty_remedies(now: Standing, basis: Basis) -> Clearing:
    """Orders against drifting; resolved tickets and good feedback against unhappiness."""
    clear_at = basis.hysteresis["at_risk_loyal"].clear_at
    remedies, risk = _against_risk(now, basis, basis.risk_of(clear_at))
    left = basis.drifting(risk)
    if now.unhappiness < clear_at:
        return remedies, left
    kinder, unhappiness = _appeased(now, basis, clear_at)
    return [*remedies, *kinder], max(left, unhappiness)


def churn_remedies(now: Standing, basis: Basis) -> Clearing:
    """The orders that lower the churn risk enough."""
    return _against_risk(now, basis, basis.hysteresis["churn_risk"].clear_at)


def upgrade_remedies(now: Standing, basis: Basis) -> Clearing | None:
    """The spend that is missing to the next tier; None in the highest tier."""
    if now.tier + 1 >= len(basis.cutoffs):
        return None
    missing_minor = max(1, math.floor(basis.cutoffs[now.tier + 1] - now.value_minor) + 1)
    return [Remedy(code="REACH_NEXT_TIER", amount_minor=missing_minor)], 0.0


def _against_risk(now: Standing, basis: Basis, clear_risk: float) -> Clearing:
    if now.risk < clear_risk:
        return [], now.risk
    count, risk = _orders(now, basis, clear_risk)
    return [Remedy(code="ORDER", count=count)], risk


def _orders(now: Standing, basis: Basis, clear_at: float) -> tuple[int, float]:
    """How many orders, one after the other from today on, lower the churn risk enough, and the risk then."""
    features = now.features
    assert features is not None
    calendar = basis.meaning.calendar
    silent_days = calendar.local_day(now.as_of_ms) - calendar.local_day(features.last_ms)
    today_ms = min(now.as_of_ms, features.last_ms + silent_days * DAY_MS)
    risk = now.risk
    for count in range(1, TRIES_MAX + 1):
        gap_ms = today_ms - features.last_ms
        ordered = structs.replace(
            features,
            frequency=features.frequency + count,
            last_ms=max(features.last_ms, today_ms),
            last_gap_ms=gap_ms if gap_ms > 0 else features.last_gap_ms,
            recent=features.recent * 0.5 ** (gap_ms / BASKET_HALF_LIFE_MS) + count,
        )
        risk = risk_score(basis.model, ordered, now.as_of_ms)
        if risk < clear_at:
            return count, risk
    return TRIES_MAX, risk


def _appeased(now: Standing, basis: Basis, clear_at: float) -> tuple[list[Remedy], float]:
    """Resolved tickets and best possible feedback that lower the unhappiness enough, and what is left of
    it."""
    rule = basis.policy.at_risk_loyal
    remedies = []
    if now.unresolved_ms is not None and is_overdue(now.unresolved_ms, now.as_of_ms, rule):
        remedies.append(Remedy(code="RESOLVE_TICKET"))
    unhappy = min(1.0, unhappy_words(now.opinion, now.confidence, now.drop, rule))
    if unhappy < clear_at:
        return remedies, unhappy
    heard = PRIOR_WEIGHT * now.confidence / (1.0 - now.confidence)  # weight of all feedback so far
    usual = now.opinion + now.drop
    for count in range(1, TRIES_MAX + 1):
        opinion = (heard * now.opinion + count) / (heard + count)
        confidence = (heard + count) / (heard + count + PRIOR_WEIGHT)
        unhappy = min(1.0, unhappy_words(opinion, confidence, opinion_drop(opinion, usual), rule))
        if unhappy < clear_at:
            break
    return [*remedies, Remedy(code="POSITIVE_FEEDBACK", count=count)], unhappy
