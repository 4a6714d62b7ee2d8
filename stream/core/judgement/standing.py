"""Standing: what the facts say of a customer at one instant, all that a rule may look at."""

from __future__ import annotations

import math

from msgspec import Struct, structs

from stream.core.calendar import Calendar
from stream.core.facts.decay import (
    BASKET_HALF_LIFE_MS,
    MOOD_HALF_LIFE_MS,
    VALUE_HALF_LIFE_MS,
    WARMTH_HALF_LIFE_MS,
    weight,
)
from stream.core.facts.feedback import PRIOR_WEIGHT, Feedback, oldest_unresolved_ms
from stream.core.facts.profile import Profile
from stream.core.facts.rhythm import regularity
from stream.core.facts.sums import Sums, monetary_minor
from stream.core.judgement.basis import Basis
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.tier import tier_of
from stream.core.judgement.unhappiness import is_overdue, opinion_drop, unhappy_words
from stream.core.model.features import Features
from stream.core.policy.policy import AtRiskLoyalRule, Policy
from stream.core.risk.churn import band_review_ms, logistic, risk_review_ms
from stream.core.risk.curve import RiskCurve, risk_curve
from stream.core.units import DAY_MS

FADED_MIN = 1e-250
"""A confidence that nobody waits for: it takes a hundred years to fade so far."""


class Standing(Struct, gc=False):
    """One customer at `as_of_ms`."""

    as_of_ms: int
    purchase_days: int
    tenure_ms: int
    """Since the first purchase."""
    value_minor: float
    """Money spent, decayed with a half-life of 180 days; decides the tier."""
    tier: int
    """Rank on the ladder, 0 lowest."""
    risk: float
    """Probability of no purchase within the customer's own horizon; 0 for a customer who never bought."""
    features: Features | None
    """None for a customer who never bought."""
    opinion: float
    """Mean sentiment of recent feedback (half-life 45 days), -1 to 1."""
    confidence: float
    """How much the opinion rests on recent feedback, 0 to 1; fades when none comes in."""
    drop: float
    """How far a negative opinion is below the customer's usual sentiment, 0 to 2."""
    unresolved_ms: int | None
    """When the oldest open ticket or complaint was opened."""
    unhappiness: float
    """0 to 1, by feedback and an overdue ticket (unhappiness.py)."""
    loyal: bool
    """Enough purchase days and tenure for the policy's loyal stage."""
    ranked: bool = True
    """Whether their money is in the currency in which customers are ranked; else it counts for nothing here:
    no value, the lowest tier, and a risk that does not look at money."""
    curve: RiskCurve | None = None
    """The risk as a function of silence; None for a customer who never bought."""


def standing(profile: Profile, as_of_ms: int, basis: Basis) -> Standing:
    """The customer's standing at an instant, from the facts and the tier held so far."""
    policy = basis.policy
    sums = profile.buying.sums
    features: Features | None = None
    curve: RiskCurve | None = None
    risk = value_minor = 0.0
    tenure_ms = 0
    ranked = is_ranked(profile.buying.currency, basis.ranking)
    if sums.orders:
        features = features_of(profile) if basis.model.risk is not None else habit_of(sums)
        if not ranked:
            features = without_money(features)
        if basis.model.seasons is not None:
            features = with_months(features, sums, basis.meaning.calendar)
        curve = risk_curve(basis.model, features)
        risk = logistic(curve.log_odds(as_of_ms))
        if as_of_ms > sums.first_at_ms:
            tenure_ms = as_of_ms - sums.first_at_ms
        if sums.value > 0.0 and ranked:
            value_minor = sums.value / weight(as_of_ms, VALUE_HALF_LIFE_MS)
    held = profile.judgement.tier
    tier = tier_of(value_minor, held, basis.cutoffs, policy.ladder.slack) if ranked else 0
    days, stages = sums.days, policy.stages
    loyal = days >= stages.loyal_purchase_days and tenure_ms >= stages.loyal_tenure_ms
    now = Standing(
        as_of_ms, days, tenure_ms, value_minor, tier, risk, features, 0.0, 0.0, 0.0, None, 0.0, loyal, ranked,
        curve,
    )  # fmt: skip
    if profile.feedback.last_at_ms or profile.feedback.opened:
        _add_unhappiness(now, profile, policy)
    return now


def habit_of(sums: Sums) -> Features:
    """The features that matter to a model without a learnt layer: purchase days and their span."""
    return Features(frequency=sums.days - 1, first_ms=sums.first_midnight_ms, last_ms=sums.last_midnight_ms)


def features_of(profile: Profile) -> Features:
    """All features of a customer with a purchase. Several orders of one day count once, as in the papers."""
    sums, engagement, feedback = profile.buying.sums, profile.engagement, profile.feedback
    engaged_ms = engagement.last_at_ms
    return Features(
        frequency=sums.days - 1,
        first_ms=sums.first_midnight_ms,
        last_ms=sums.last_midnight_ms,
        monetary_minor=monetary_minor(sums),
        first_minor=float(max(0, sums.first_day_minor)),
        last_gap_ms=sums.last_gap_days * DAY_MS,
        regularity=regularity(sums),
        recent=sums.recent_days / weight(sums.last_day * DAY_MS, BASKET_HALF_LIFE_MS),
        engagement=engagement.warmth / weight(engaged_ms, WARMTH_HALF_LIFE_MS) if engaged_ms else 0.0,
        engagement_ms=engaged_ms,
        sentiment=feedback.sentiment_sum / feedback.count if feedback.count else 0.0,
        returns=min(1.0, sums.refunded_minor / sums.gross_minor) if sums.gross_minor else 0.0,
        tickets=float(sum([ticket not in feedback.resolved for ticket in feedback.opened])),
    )


def with_months(features: Features, sums: Sums, calendar: Calendar) -> Features:
    """The features with what a model that knows seasons looks at."""
    return structs.replace(features, by_month=tuple(sums.seasons), calendar=calendar)


def without_money(features: Features) -> Features:
    """The features of a customer whose money is in a currency that the model does not know."""
    return structs.replace(features, monetary_minor=0.0, first_minor=0.0)


def _add_unhappiness(now: Standing, profile: Profile, policy: Policy) -> None:
    """Fill in what feedback and open tickets say."""
    feedback = profile.feedback
    rule = policy.at_risk_loyal
    if feedback.count:
        now.opinion, now.confidence = heard_opinion(feedback, now.as_of_ms)
        if now.opinion < 0.0:
            now.drop = opinion_drop(now.opinion, feedback.temper_sum / feedback.temper_weight)
            now.unhappiness = min(1.0, unhappy_words(now.opinion, now.confidence, now.drop, rule))
    now.unresolved_ms = oldest_unresolved_ms(feedback) if feedback.opened else None
    if now.unresolved_ms is not None and is_overdue(now.unresolved_ms, now.as_of_ms, rule):
        now.unhappiness = max(now.unhappiness, rule.ticket_weight)


def heard_opinion(feedback: Feedback, as_of_ms: int) -> tuple[float, float]:
    """The opinion of a customer who gave feedback, -1 to 1, and the confidence in it then, 0 to 1."""
    heard = feedback.mood_weight
    return feedback.mood_sum / heard, heard / (heard + PRIOR_WEIGHT * weight(as_of_ms, MOOD_HALF_LIFE_MS))


def risk_reaches_ms(now: Standing, level: float, basis: Basis) -> int | None:
    """When to review a customer whose churn risk is below a level: when silence reaches it, or before."""
    if now.curve is None or now.risk >= level:
        return None
    return risk_review_ms(basis.model, now.curve, level, now.as_of_ms, now.risk)


def risk_leaves_ms(now: Standing, up: float | None, down: tuple[float, int] | None) -> int | None:
    """When to review a customer by a model that knows seasons: when the risk reaches `up` or has fallen to
    the level of `down` before its instant, or earlier; None if it never does."""
    if now.curve is None or (up is None and down is None):
        return None
    return band_review_ms(now.curve, up, down, now.as_of_ms, now.risk)


def unhappiness_falls_ms(now: Standing, level: float, rule: AtRiskLoyalRule) -> int | None:
    """When unhappiness has faded below a level if no more feedback comes in; None if it does not fade so far.

    With feedback weight w, the confidence is w / (w + 1) in units of the prior's weight, and w halves with
    each half-life of the mood. What was said fades with it, from far above 1 if it was bad. An overdue ticket
    does not fade: while it alone reaches the level, only an event ends that.
    """
    if level <= 0.0 or now.unhappiness < level or now.confidence <= 0.0:
        return None
    ticket_ms = now.unresolved_ms
    if ticket_ms is not None and rule.ticket_weight >= level and is_overdue(ticket_ms, now.as_of_ms, rule):
        return None
    words = unhappy_words(now.opinion, now.confidence, now.drop, rule)
    if words < level or (target := now.confidence * level / words) < FADED_MIN:
        return None
    weight_now = now.confidence / (1.0 - now.confidence)
    weight_then = target / (1.0 - target)
    return now.as_of_ms + math.ceil(MOOD_HALF_LIFE_MS * math.log2(weight_now / weight_then)) + 1
