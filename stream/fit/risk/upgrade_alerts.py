"""From which score on an upgrade opportunity is raised, learnt so that few customers a month have one.

The moments after purchases of the last months are followed as the rule follows them: an episode opens at the
score, ends when a higher tier is reached or it expires, and the next one waits for the cool-down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import structs
from scipy.stats import beta

from stream.core.facts.decay import VALUE_HALF_LIFE_MS
from stream.core.judgement.tier import cutoffs_minor, tier_of
from stream.core.model.record import Horizon, Model, UpgradeLevel
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.upgrade_moments import Moments, UpgradeMoment

MONTH_MS = 30 * DAY_MS
MONTHS_MAX = 6
"""So many months before the split are counted."""
WITHIN_MAX_MS = 13 * WEEK_MS
"""Within which time of an alert the next tier has to be reached, unless the horizon is the same for all."""
STEP = 0.01
SETTLED_MS = 180 * DAY_MS
"""In so much time after a history began everybody's recent spend still grows from nothing, and with it the
tier: what became of alerts then says nothing of later ones."""
ALERTS_MIN = 20
"""With fewer past alerts nothing is promised."""


class Candidate(NamedTuple):
    """A moment at which the policy would have allowed an alert."""

    at_ms: int
    score: float
    up_ms: float
    """When the customer next reached a higher tier; infinite where they did not."""


class UpgradeRun:
    """The candidates of all customers up to the end of a day, by the tiers of a model."""

    def __init__(self, moments: Moments, until_ms: int, model: Model, policy: Policy) -> None:
        self._until_ms, self._rule = until_ms, policy.upgrade_opportunity
        self._slack = policy.ladder.slack
        self._cutoffs = cutoffs_minor(policy.ladder, model)
        known = [[one for one in each if one.at_ms <= until_ms] for each in moments.values()]
        self._by_customer = [found for each in known if (found := self._candidates(each))]
        standing = [score for each in known if (score := self._standing(each))]
        self.standing = np.sort(np.array(standing, dtype=np.float64))
        """Scores of those who stand near the next tier on that day, in rising order."""

    def _ranks(self, moments: Sequence[UpgradeMoment]) -> list[int]:
        ranks, held, before = [], 0, None
        for one in moments:
            if before is not None:
                left = before.value_minor * 0.5 ** ((one.at_ms - before.at_ms) / VALUE_HALF_LIFE_MS)
                held = tier_of(left, held, self._cutoffs, self._slack)
            held = tier_of(one.value_minor, held, self._cutoffs, self._slack)
            ranks.append(held)
            before = one
        return ranks

    def _score(self, value_minor: float, rank: int, eagerness: float) -> float:
        """The score of an alert, or 0 where the policy allows none."""
        if rank + 1 >= len(self._cutoffs):
            return 0.0
        closeness = value_minor / self._cutoffs[rank + 1]
        if closeness < self._rule.closeness_min:
            return 0.0
        return min(1.0, self._rule.closeness_weight * min(1.0, closeness) + eagerness)

    def _candidates(self, moments: Sequence[UpgradeMoment]) -> list[Candidate]:
        ranks = self._ranks(moments)
        found: list[Candidate] = []
        up_ms = float("inf")
        for place in range(len(moments) - 1, -1, -1):
            one, rank = moments[place], ranks[place]
            if one.may_be and (score := self._score(one.value_minor, rank, one.eagerness)) > 0.0:
                found.append(Candidate(one.at_ms, score, up_ms))
            if place and rank > ranks[place - 1]:
                up_ms = one.at_ms
        return found[::-1]

    def _standing(self, moments: Sequence[UpgradeMoment]) -> float:
        if not moments or not moments[-1].may_be:
            return 0.0
        last = moments[-1]
        left = last.value_minor * 0.5 ** ((self._until_ms - last.at_ms) / VALUE_HALF_LIFE_MS)
        rank = tier_of(left, self._ranks(moments)[-1], self._cutoffs, self._slack)
        return self._score(left, rank, last.eagerness)

    def raised(self, level: float) -> list[Candidate]:
        """The alerts at a score."""
        rule, found = self._rule.hysteresis, []
        for candidates in self._by_customer:
            free_ms = -float("inf")
            for one in candidates:
                if one.score >= level and one.at_ms >= free_ms:
                    found.append(one)
                    free_ms = min(one.up_ms, one.at_ms + rule.expire_ms) + rule.cool_down_ms
        return found

    def at_once(self, level: float) -> int:
        """How many stand at this score on the last day: alerts of the first moment."""
        return len(self.standing) - int(np.searchsorted(self.standing, level))


def learnt_upgrade_level(
    moments: Moments, span_ms: tuple[int, int], model: Model, policy: Policy
) -> UpgradeLevel | None:
    """The lowest score whose alerts are within the policy's share of customers a month, and not below the
    score of the policy; None where nobody could have been alerted.

    Also within the first month, in which all who stand above the score are alerted at once.
    `span_ms`: midnights of the first day of the history and of the last one that is learnt from.
    """
    until_ms = span_ms[1]
    rule = policy.upgrade_opportunity
    run = UpgradeRun(moments, until_ms + DAY_MS - 1, model, policy)
    least = rule.hysteresis.raise_at
    allowed = rule.monthly_share_max * model.population.customers
    first_ms = min((one[0].at_ms for one in moments.values() if one), default=until_ms)
    months = max(1, min(MONTHS_MAX, (until_ms - first_ms) // MONTH_MS))
    begin_ms = until_ms + DAY_MS - months * MONTH_MS
    for level in [least, *np.arange(np.ceil(least / STEP) * STEP + STEP, 1.0 + STEP / 2, STEP)]:
        chosen = round(min(1.0, float(level)), 4)
        raised = run.raised(chosen)
        monthly = sum(one.at_ms >= begin_ms for one in raised) / months
        if run.at_once(chosen) + monthly <= allowed:
            break
    if not raised:
        return None
    words = (
        f"Raised from a score of {100 * chosen:.0f} on, {_times(monthly)} "
        f"({monthly / model.population.customers:.1%} of the customers)."
    )
    return _with_promise(
        UpgradeLevel(raise_at=chosen, learnt=words), raised, span_ms, _within_ms(model.horizon)
    )


def _times(monthly: float) -> str:
    """How often in a month, in words; never that it is no times."""
    if monthly >= 1.5:
        return f"about {monthly:.0f} times a month"
    return "about once a month" if monthly >= 0.75 else "less than once a month"


def _with_promise(
    level: UpgradeLevel, raised: Sequence[Candidate], span_ms: tuple[int, int], within_ms: int
) -> UpgradeLevel:
    """The level with what became of the alerts that it would have raised, if that tells of later ones."""
    until_ms = span_ms[1] + DAY_MS - within_ms
    over = [one for one in raised if span_ms[0] + SETTLED_MS <= one.at_ms <= until_ms]
    if len(over) < ALERTS_MIN:
        unknown = "How many will reach the next tier is not known: too few were raised and followed so far."
        return structs.replace(level, learnt=f"{level.learnt} {unknown}")
    right = sum(one.up_ms <= one.at_ms + within_ms for one in over)
    low, high = beta.ppf([0.025, 0.975], right + 0.5, len(over) - right + 0.5)
    share = right / len(over)
    return structs.replace(
        level,
        learnt=f"{level.learnt} Of {len(over):,} such alerts before, {share:.0%} were followed by the next "
        f"tier within {within_ms / WEEK_MS:.0f} weeks (95%: {low:.0%} to {high:.0%}).",
        promised=round(share, 4),
        promised_95=(round(float(low), 4), round(float(high), 4)),
        within_ms=within_ms,
    )


def _within_ms(horizon: Horizon) -> int:
    """Within which time of an alert the next tier has to be reached."""
    return horizon.max_ms if horizon.min_ms == horizon.max_ms else WITHIN_MAX_MS
