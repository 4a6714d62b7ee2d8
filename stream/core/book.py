"""The policy and the population model in force, with everything a judgement looks up worked out once."""

from __future__ import annotations

from stream.core.lifetime import valuation
from stream.core.model import Model
from stream.core.rulebook import AlertKind, Hysteresis, Policy
from stream.core.themes import ThemeReader
from stream.core.tier import cutoffs_minor


class Book:
    """What every judgement of a run is based on; a new model or policy is a new book."""

    __slots__ = (
        "at_risk_tier",
        "churn_tier",
        "cutoffs",
        "hysteresis",
        "model",
        "policy",
        "reader",
        "tier_names",
        "valuation",
    )

    def __init__(self, policy: Policy, model: Model) -> None:
        self.policy = policy
        self.model = model
        self.reader = ThemeReader(policy.themes, policy.lexicon)
        self.cutoffs = cutoffs_minor(policy.ladder, model)
        self.tier_names = tuple(step.name for step in policy.ladder.steps)
        finance = policy.finance
        self.valuation = valuation(model, finance.risk_horizon_ms, finance.annual_discount, finance.margin)
        self.churn_tier = policy.tier_rank(policy.churn_risk.tier_min)
        self.at_risk_tier = policy.tier_rank(policy.at_risk_loyal.tier_min)
        self.hysteresis: dict[AlertKind, Hysteresis] = {
            "at_risk_loyal": policy.at_risk_loyal.hysteresis,
            "churn_risk": _churn_hysteresis(policy, model),
            "upgrade_opportunity": policy.upgrade_opportunity.hysteresis,
        }


def _churn_hysteresis(policy: Policy, model: Model) -> Hysteresis:
    """The policy's, with the thresholds that the model learnt where there are some and they are wanted."""
    given = policy.churn_risk.hysteresis
    learnt = model.thresholds
    if learnt is None or not policy.churn_risk.learnt_thresholds:
        return given
    return Hysteresis(
        raise_at=learnt.raise_at,
        clear_at=learnt.clear_at,
        escalate_at=max(given.escalate_at, (1.0 + learnt.raise_at) / 2.0),
        dwell_ms=given.dwell_ms,
        cool_down_ms=given.cool_down_ms,
        expire_ms=given.expire_ms,
    )
