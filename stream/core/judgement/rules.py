"""The rules: from a customer's standing, the score of each kind of alert and whether it may be raised at all.

At which scores an episode opens, escalates and ends is decided in episode.py, the evidence is in
alerts/reasons.py, thresholds and weights are in policy/policy.py.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from stream.core.calendar import Calendar
from stream.core.facts.interests import strongest_unbought
from stream.core.facts.memory.baskets import kept_baskets
from stream.core.facts.memory.corrections import Corrections
from stream.core.facts.profile import Judgement, Profile
from stream.core.facts.purchases import Buying
from stream.core.facts.rhythm import mean_gap_days, quickening, rhythm
from stream.core.facts.sums import Sums, priced_orders
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import Standing, heard_opinion
from stream.core.policy.policy import ALERT_KINDS, AlertKind, UpgradeRule
from stream.core.units import DAY_MS

NPS_PROMOTER = 9.0
"""Promoters answer 9 or 10 (Reichheld 2003)."""
WARM_OPINION = 0.6
"""Recent sentiment (-1 to 1) times confidence that makes a promoter of a customer who answered no NPS
survey."""


class Signal(Struct, gc=False):
    """What one rule says of one customer at one instant."""

    kind: AlertKind
    score: float
    eligible: bool
    """Whether an episode may open. An open one is continued by its score alone."""
    urgent: bool = False
    """Escalate even if the score is below the threshold."""
    counts: bool = True
    """Whether the score may open or escalate an episode yet: the customer's own history says something."""
    reached: bool = False
    """What an open alert is about has come: it is cleared, whatever was corrected."""
    waits_ms: int | None = None
    """When the passing of time makes a score count that is high enough already; None if none is."""


class UpgradeParts(Struct, frozen=True):
    """What an upgrade opportunity is made of, each 0 to 1."""

    closeness: float
    growth: float
    affinity: float
    promoter: float


def at_risk_loyal(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """A loyal customer of a high tier drifts away or is unhappy; both at once is urgent."""
    eligible = may_be_at_risk(now, basis)
    if not eligible and "at_risk_loyal" not in profile.judgement.episodes:
        return None
    raise_at = basis.policy.at_risk_loyal.hysteresis.raise_at
    drifting, unhappy = basis.drifting(now.risk), now.unhappiness
    silent_ms = _drifting_from_ms(profile, basis) if drifting >= raise_at else now.as_of_ms
    silent = now.as_of_ms >= silent_ms
    return Signal(
        "at_risk_loyal",
        score=max(drifting, unhappy) if silent or unhappy < raise_at else unhappy,
        eligible=eligible,
        urgent=silent and drifting >= raise_at and unhappy >= raise_at,
        counts=silent or unhappy >= raise_at,
        waits_ms=None if silent else silent_ms,
    )


def drifting_counts(now: Standing, profile: Profile, basis: Basis) -> bool:
    """Whether the score of at_risk_loyal rests on drifting too, not on unhappiness alone.

    A customer who bought a moment ago and is unhappy is not also drifting away.
    """
    unhappy = now.unhappiness >= basis.policy.at_risk_loyal.hysteresis.raise_at
    return not unhappy or now.as_of_ms >= _drifting_from_ms(profile, basis)


def _drifting_from_ms(profile: Profile, basis: Basis) -> int:
    rule = basis.policy.at_risk_loyal
    return _silent_from_ms(profile, rule.silence_gaps_min, rule.silence_min_ms, basis)


def _silent_from_ms(profile: Profile, gaps_min: float, least_ms: int, basis: Basis) -> int:
    """From when on the customer has bought nothing for so many of their own gaps, and at least so long.

    Gaps are whole days, so a purchase on the day on which it is due is not late: one day more has to pass. A
    customer with one purchase day has no gap: the usual one of the model's population is taken.
    """
    if not gaps_min:
        return profile.buying.sums.last_at_ms + least_ms
    own, last_ms = rhythm(profile.buying, basis.meaning.calendar), profile.buying.sums.last_at_ms
    mean_days = mean_gap_days(profile.buying.sums) or basis.model.prior.gap_days
    gap_days = max(own.usual_gap_days, mean_days) if own else mean_days
    return last_ms + max(least_ms, round(gaps_min * gap_days * DAY_MS) + DAY_MS)


def churn_risk(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """A customer of some value will probably not buy within their own horizon."""
    eligible = may_churn(now, basis)
    if not eligible and "churn_risk" not in profile.judgement.episodes:
        return None
    if now.risk < basis.hysteresis["churn_risk"].raise_at:
        return Signal("churn_risk", now.risk, eligible)
    rule = basis.policy.churn_risk
    from_ms = max(
        profile.buying.sums.first_at_ms + rule.history_min_ms,
        _silent_from_ms(profile, rule.silence_gaps_min, rule.silence_min_ms, basis),
    )
    counts = now.as_of_ms >= from_ms
    return Signal("churn_risk", now.risk, eligible, counts=counts, waits_ms=None if counts else from_ms)


def may_be_at_risk(now: Standing, basis: Basis) -> bool:
    """Whether `at_risk_loyal` may be raised for the customer."""
    return now.loyal and now.tier >= basis.at_risk_tier


def may_churn(now: Standing, basis: Basis) -> bool:
    """Whether `churn_risk` may be raised for the customer."""
    return now.tier >= basis.churn_tier and now.purchase_days >= basis.policy.churn_risk.purchase_days_min


def upgrade_opportunity(now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """A customer close to the next tier is growing, interested or enthusiastic, and not at risk."""
    rule = basis.policy.upgrade_opportunity
    has_next_tier = now.ranked and now.tier < len(basis.cutoffs) - 1
    eligible = (
        has_next_tier
        and now.purchase_days >= rule.purchase_days_min
        and now.risk <= rule.risk_max
        and now.value_minor >= rule.closeness_min * basis.cutoffs[now.tier + 1]
        and now.unhappiness < basis.policy.at_risk_loyal.hysteresis.clear_at
    )
    if not eligible and "upgrade_opportunity" not in profile.judgement.episodes:
        return None
    reached = has_moved_up(now, profile.judgement)
    if reached or not has_next_tier:
        return Signal("upgrade_opportunity", 0.0, eligible=False, reached=reached)
    parts = upgrade_parts(now, profile, basis)
    score = (
        rule.closeness_weight * parts.closeness
        + rule.growth_weight * parts.growth
        + rule.affinity_weight * parts.affinity
        + rule.promoter_weight * parts.promoter
    )
    from_ms = profile.buying.sums.first_at_ms + rule.history_min_ms
    counts = now.as_of_ms >= from_ms
    raise_at = basis.hysteresis["upgrade_opportunity"].raise_at
    waits_ms = None if counts or score < raise_at else from_ms
    return Signal("upgrade_opportunity", min(1.0, score), eligible, counts=counts, waits_ms=waits_ms)


def has_moved_up(now: Standing, judgement: Judgement) -> bool:
    """Whether the customer is of a higher tier than when the open alert of an upgrade was raised: it is about
    that tier, not about the one after it."""
    episode = judgement.episodes.get("upgrade_opportunity")
    if episode is None or not episode.is_open:
        return False
    moves = judgement.tier_moves
    if not moves or moves[-1][0] <= episode.opened_ms:
        return False
    return now.tier > next((rank for at_ms, rank in reversed(moves) if at_ms <= episode.opened_ms), 0)


RULES: tuple[Callable[[Standing, Profile, Basis], Signal | None], ...] = (
    at_risk_loyal,
    churn_risk,
    upgrade_opportunity,
)
"""Every rule, in the order of ALERT_KINDS. A rule gives None when its kind is not about this customer:
nobody may be alerted, and no episode goes on."""

_RULE_OF = dict(zip(ALERT_KINDS, RULES, strict=True))


def signal_of(kind: AlertKind, now: Standing, profile: Profile, basis: Basis) -> Signal | None:
    """What the rule of one kind says; None when this kind is not about the customer."""
    return _RULE_OF[kind](now, profile, basis)


NO_CONTACT_LIMIT: frozenset[AlertKind] = frozenset({"at_risk_loyal"})
"""Kinds that are raised even when the raising limit is reached."""


def upgrade_parts(now: Standing, profile: Profile, basis: Basis) -> UpgradeParts:
    """How close the customer is to the next tier, and what else speaks for an upgrade.

    Far from it, at less than `closeness_min` times the clear threshold, nothing else counts.
    """
    rule = basis.policy.upgrade_opportunity
    closeness = min(1.0, now.value_minor / basis.cutoffs[now.tier + 1])
    if closeness < rule.closeness_min * rule.hysteresis.clear_at:
        return UpgradeParts(closeness, 0.0, 0.0, 0.0)
    return UpgradeParts(closeness, *eagerness(profile, now.as_of_ms, rule, basis.meaning.calendar))


def eagerness(
    profile: Profile, as_of_ms: int, rule: UpgradeRule, calendar: Calendar
) -> tuple[float, float, float]:
    """What speaks for an upgrade besides closeness to the next tier: growth, affinity, and being a promoter;
    each 0 to 1."""
    growth = max(basket_growth(profile), quickening(profile.buying, calendar)) / rule.growth_full
    _, looked = strongest_unbought(profile.interests, as_of_ms)
    return (
        min(1.0, growth),
        1.0 if looked >= rule.affinity_min else 0.0,
        1.0 if is_promoter(profile, as_of_ms) else 0.0,
    )


def basket_growth(profile: Profile) -> float:
    """How much larger recent baskets (half-life 90 days) are than all of the customer's: 0.25 is a quarter
    more. What went back of an order is in neither."""
    buying = profile.buying
    sums = _kept(buying) if buying.refunds else buying.sums
    priced = priced_orders(sums)
    if priced < 2 or not sums.gross_minor:
        return 0.0
    return max(0.0, sums.basket_sum / sums.basket_weight * priced / sums.gross_minor - 1.0)


def _kept(buying: Buying) -> Sums:
    corrections = Corrections(buying.orders, buying.refunds, buying.cancelled, buying.cancelled_by)
    return kept_baskets(buying.orders, corrections, buying.older or Sums(), buying.currency)


def is_promoter(profile: Profile, as_of_ms: int) -> bool:
    """Whether the customer would recommend the shop: by the last NPS answer, else by warm recent feedback."""
    feedback = profile.feedback
    if feedback.nps_at_ms:
        return feedback.nps >= NPS_PROMOTER
    if not feedback.count:
        return False
    opinion, confidence = heard_opinion(feedback, as_of_ms)
    return confidence * opinion >= WARM_OPINION
