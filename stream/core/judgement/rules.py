"""The three rules marketing asked for: what makes an alert, from a customer's standing.

A rule gives a score between 0 and 1 and says who may be alerted at all. When a score opens, escalates or ends
an episode: episode.py; what an alert says: core/alerts/reasons.py; weights: policy/policy.py.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from stream.core.facts.interests import strongest_unbought
from stream.core.facts.profile import Profile
from stream.core.facts.rhythm import quickening
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import Standing
from stream.core.policy.policy import AlertKind

NPS_PROMOTER = 9.0
WARM_OPINION = 0.6


class Signal(Struct, gc=False):
    """One rule's word on one customer at one instant."""

    kind: AlertKind
    score: float
    eligible: bool
    """May an episode open? One that is open goes on by its score alone."""
    urgent: bool = False
    """Escalate whatever the score."""


class UpgradeParts(Struct, frozen=True):
    """The parts of an upgrade opportunity, each 0 to 1."""

    closeness: float
    growth: float
    affinity: float
    promoter: float


def at_risk_loyal(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """A loyal customer of a high tier who drifts away, or is unhappy; both at once is urgent."""
    eligible = may_be_at_risk(now, basis)
    if not eligible and "at_risk_loyal" not in profile.judgement.episodes:
        return None
    raise_at = basis.policy.at_risk_loyal.hysteresis.raise_at
    drifting, unhappy = basis.drifting(now.risk), now.unhappiness
    return Signal(
        "at_risk_loyal",
        score=max(drifting, unhappy),
        eligible=eligible,
        urgent=drifting >= raise_at and unhappy >= raise_at,
    )


def churn_risk(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """A customer of some value who will probably not buy within their own horizon."""
    eligible = may_churn(now, basis)
    if not eligible and "churn_risk" not in profile.judgement.episodes:
        return None
    return Signal("churn_risk", now.risk, eligible)


def may_be_at_risk(now: Standing, basis: Basis) -> bool:
    """Whom `at_risk_loyal` is about."""
    return now.loyal and now.tier >= basis.at_risk_tier


def may_churn(now: Standing, basis: Basis) -> bool:
    """Whom `churn_risk` is about."""
    return now.tier >= basis.churn_tier and now.purchase_days >= basis.policy.churn_risk.purchase_days_min


def upgrade_opportunity(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """Close to the next tier, and growing, interested or enthusiastic; never someone at risk."""
    rule = basis.policy.upgrade_opportunity
    has_next_tier = now.tier < len(basis.cutoffs) - 1
    eligible = (
        has_next_tier
        and now.purchase_days >= rule.purchase_days_min
        and now.risk <= rule.risk_max
        and now.value_minor >= rule.closeness_min * basis.cutoffs[now.tier + 1]
        and now.unhappiness < basis.policy.at_risk_loyal.hysteresis.clear_at
    )
    if not eligible and "upgrade_opportunity" not in profile.judgement.episodes:
        return None
    if not has_next_tier:
        return Signal("upgrade_opportunity", 0.0, eligible=False)
    parts = upgrade_parts(now, profile, basis)
    score = (
        rule.closeness_weight * parts.closeness
        + rule.growth_weight * parts.growth
        + rule.affinity_weight * parts.affinity
        + rule.promoter_weight * parts.promoter
    )
    return Signal("upgrade_opportunity", min(1.0, score), eligible)


RULES: tuple[Callable[[Standing, Profile, Basis], Signal | None], ...] = (
    at_risk_loyal,
    churn_risk,
    upgrade_opportunity,
)
"""Every rule, in the order of ALERT_KINDS. A rule gives None when its kind is not about this customer:
nobody may be alerted, and no episode goes on."""

NO_CONTACT_LIMIT: frozenset[AlertKind] = frozenset({"at_risk_loyal"})
"""Kinds that are raised even when the customer's contact budget is used up."""


def upgrade_parts(now: Standing, profile: Profile, basis: Basis) -> UpgradeParts:
    """How close to the next tier, and what speaks for getting there; all zero when far from it."""
    rule = basis.policy.upgrade_opportunity
    closeness = min(1.0, now.value_minor / basis.cutoffs[now.tier + 1])
    if closeness < rule.closeness_min * rule.hysteresis.clear_at:
        return UpgradeParts(closeness, 0.0, 0.0, 0.0)
    growth = max(basket_growth(profile), quickening(profile.buying)) / rule.growth_full
    _, looked = strongest_unbought(profile.interests, now.as_of_ms)
    return UpgradeParts(
        closeness,
        min(1.0, growth),
        1.0 if looked >= rule.affinity_min else 0.0,
        1.0 if is_promoter(profile, now) else 0.0,
    )


def basket_growth(profile: Profile) -> float:
    """How much larger the recent basket is than the customer's usual one: 0.25 is a quarter more."""
    sums = profile.buying.sums
    priced = sums.orders - sums.foreign_orders
    if priced < 2 or not sums.gross_minor:
        return 0.0
    return max(0.0, sums.basket_sum / sums.basket_weight * priced / sums.gross_minor - 1.0)


def is_promoter(profile: Profile, now: Standing) -> bool:
    """Would recommend us: by the last NPS answer, else by warm and recent words."""
    feedback = profile.feedback
    if feedback.nps_at_ms:
        return feedback.nps >= NPS_PROMOTER
    return now.confidence * now.opinion >= WARM_OPINION
