"""Standing: all a rule may look at, at one instant; and when silence alone will change it."""

from __future__ import annotations

import math

from msgspec import Struct

from stream.core.facts.decay import (
    BASKET_HALF_LIFE_MS,
    MOOD_HALF_LIFE_MS,
    VALUE_HALF_LIFE_MS,
    WARMTH_HALF_LIFE_MS,
    weight,
)
from stream.core.facts.feedback import PRIOR_WEIGHT, oldest_unresolved_ms
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Sums, monetary_minor
from stream.core.facts.rhythm import regularity
from stream.core.judgement.basis import Basis
from stream.core.judgement.tier import tier_of
from stream.core.judgement.unhappiness import is_overdue, opinion_drop, unhappy_words
from stream.core.model.features import Features
from stream.core.policy.policy import Policy
from stream.core.risk.churn import logistic, risk_review_ms
from stream.core.risk.curve import RiskCurve, risk_curve
from stream.core.units import DAY_MS


class Standing(Struct, gc=False):
    """One customer at `as_of_ms`."""

    as_of_ms: int
    purchase_days: int
    tenure_ms: int
    value_minor: float
    """Decayed spend: what the tiers go by."""
    tier: int
    risk: float
    """Probability of no purchase within the customer's own horizon; 0 for who never bought."""
    features: Features | None
    opinion: float
    """Decayed mean of what was said, -1 to 1."""
    confidence: float
    """How much was said lately, 0 to 1; fades with silence."""
    drop: float
    """How far the recent opinion is below the customer's own past, 0 to 2."""
    unresolved_ms: int | None
    unhappiness: float
    loyal: bool
    curve: RiskCurve | None = None
    """How silence alone will move the risk; None for who never bought."""


def standing(profile: Profile, as_of_ms: int, basis: Basis) -> Standing:
    """The customer's standing as of an instant, from the facts and the tier held so far."""
    policy = basis.policy
    sums = profile.buying.sums
    features: Features | None = None
    curve: RiskCurve | None = None
    risk = value_minor = 0.0
    tenure_ms = 0
    if sums.orders:
        features = features_of(profile) if basis.model.risk is not None else habit_of(sums)
        curve = risk_curve(basis.model, features)
        risk = logistic(curve.log_odds(as_of_ms))
        if as_of_ms > sums.first_at_ms:
            tenure_ms = as_of_ms - sums.first_at_ms
        if sums.value > 0.0:
            value_minor = sums.value / weight(as_of_ms, VALUE_HALF_LIFE_MS)
    tier = tier_of(value_minor, profile.judgement.tier, basis.cutoffs, policy.ladder.slack)
    days, stages = sums.days, policy.stages
    loyal = days >= stages.loyal_purchase_days and tenure_ms >= stages.loyal_tenure_ms
    now = Standing(
        as_of_ms, days, tenure_ms, value_minor, tier, risk, features, 0.0, 0.0, 0.0, None, 0.0, loyal, curve
    )
    if profile.feedback.last_at_ms or profile.feedback.opened:
        _listen(now, profile, policy)
    return now


def habit_of(sums: Sums) -> Features:
    """All that the risk depends on where nothing was learnt."""
    first_ms, last_ms = sums.first_at_ms // DAY_MS * DAY_MS, sums.last_at_ms // DAY_MS * DAY_MS
    return Features(frequency=sums.days - 1, first_ms=first_ms, last_ms=last_ms)


def features_of(profile: Profile) -> Features:
    """What the risk model looks at, for a customer with a purchase: days count, as in the models' papers."""
    sums, engagement, feedback = profile.buying.sums, profile.engagement, profile.feedback
    first_ms, last_ms = sums.first_at_ms // DAY_MS * DAY_MS, sums.last_at_ms // DAY_MS * DAY_MS
    engaged_ms = engagement.last_at_ms
    return Features(
        frequency=sums.days - 1,
        first_ms=first_ms,
        last_ms=last_ms,
        monetary_minor=monetary_minor(sums),
        first_minor=float(max(0, sums.first_day_minor)),
        last_gap_ms=sums.last_gap_days * DAY_MS,
        regularity=regularity(sums),
        recent=sums.recent_days / weight(last_ms, BASKET_HALF_LIFE_MS),
        engagement=engagement.warmth / weight(engaged_ms, WARMTH_HALF_LIFE_MS) if engaged_ms else 0.0,
        engagement_ms=engaged_ms,
        sentiment=feedback.sentiment_sum / feedback.count if feedback.count else 0.0,
        returns=min(1.0, sums.refunded_minor / sums.gross_minor) if sums.gross_minor else 0.0,
        tickets=float(sum([ticket not in feedback.resolved for ticket in feedback.opened])),
    )


def _listen(now: Standing, profile: Profile, policy: Policy) -> None:
    """How unhappy the customer is, 0 to 1, by what they said and what is unresolved."""
    feedback = profile.feedback
    rule = policy.at_risk_loyal
    if feedback.count:
        evidence = feedback.mood_weight
        now.opinion = feedback.mood_sum / evidence
        now.confidence = evidence / (evidence + PRIOR_WEIGHT * weight(now.as_of_ms, MOOD_HALF_LIFE_MS))
        usual = feedback.temper_sum / feedback.temper_weight
        now.drop = opinion_drop(now.opinion, usual)
        now.unhappiness = min(1.0, unhappy_words(now.opinion, now.confidence, now.drop, rule))
    now.unresolved_ms = oldest_unresolved_ms(feedback)
    if is_overdue(now.unresolved_ms, now.as_of_ms, rule):
        now.unhappiness = max(now.unhappiness, rule.ticket_weight)


def risk_reaches_ms(now: Standing, level: float, basis: Basis) -> int | None:
    """When silence alone has brought the churn risk to a level, or an instant before that to look again."""
    if now.curve is None or now.risk >= level:
        return None
    return risk_review_ms(basis.model, now.curve, level, now.as_of_ms, now.risk)


def unhappiness_falls_ms(now: Standing, level: float) -> int | None:
    """When, with nothing more said, unhappiness has faded below a level; None when nothing fades."""
    if now.unhappiness < level or now.confidence <= 0.0:
        return None
    target = now.confidence * level / now.unhappiness
    evidence = now.confidence / (1.0 - now.confidence)
    left = target / (1.0 - target)
    return now.as_of_ms + math.ceil(MOOD_HALF_LIFE_MS * math.log2(evidence / left)) + 1
