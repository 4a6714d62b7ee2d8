"""Purchases after which an upgrade opportunity might have been raised: how much was spent by then, and how
eager the customer was. Which of them would have been alerts depends on tiers and a level that are learnt
later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stream.core.facts.decay import VALUE_HALF_LIFE_MS, as_of
from stream.core.facts.profile import Profile
from stream.core.judgement.rules import eagerness
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS

KEPT_MS = 400 * DAY_MS
"""How long before the newest snapshot moments are kept."""


class UpgradeMoment(NamedTuple):
    """One customer right after a purchase."""

    at_ms: int
    """As the clock of the business shows it."""
    value_minor: float
    """Money spent, forgotten with a half-life of 180 days."""
    eagerness: float
    """What speaks for an upgrade besides closeness to the next tier, weighed as the policy does; 0 to 1."""
    may_be: bool
    """Whether the customer is known for long enough by the rule."""
    paid_before_minor: int = 0
    """What had been paid before this purchase, less refunds."""


def moment_of(
    profile: Profile, time_ms: int, shown_ms: int, policy: Policy, paid_before_minor: int
) -> UpgradeMoment:
    """The moment of a purchase that has just been folded; its time since 1970, and as the clock shows it."""
    rule, sums = policy.upgrade_opportunity, profile.buying.sums
    may_be = sums.days >= rule.purchase_days_min and time_ms >= sums.first_at_ms + rule.history_min_ms
    score = 0.0
    if may_be:
        growth, affinity, promoter = eagerness(profile, time_ms, rule, policy.calendar)
        score = (
            rule.growth_weight * growth + rule.affinity_weight * affinity + rule.promoter_weight * promoter
        )
    value_minor = max(0.0, as_of(sums.value, time_ms, VALUE_HALF_LIFE_MS))
    return UpgradeMoment(shown_ms, value_minor, score, may_be, paid_before_minor)


def paid_so_far_minor(profile: Profile | None) -> int:
    """What a customer has paid less refunds, in minor units; nothing if nobody is known."""
    return 0 if profile is None else profile.buying.net_minor


Moments = Mapping[str, list[UpgradeMoment]]
"""Customer -> moments in order of time."""
