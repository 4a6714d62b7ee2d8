"""The policy and the population model in force, with everything that judgements look up computed once."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from msgspec import structs

from stream.core.facts.meaning import Meaning
from stream.core.judgement.ranking import ranking_currency
from stream.core.judgement.tier import cutoffs_minor
from stream.core.model.record import Model
from stream.core.policy.policy import ALERT_KINDS, AlertKind, AtRiskLoyalRule, Hysteresis, Policy
from stream.core.value.lifetime import valuation


class Basis:
    """What every judgement is based on; a new model or policy makes a new basis."""

    __slots__ = (
        "_drifts",
        "_risks",
        "at_risk_tier",
        "churn_tier",
        "clear_risks",
        "cutoffs",
        "hysteresis",
        "meaning",
        "model",
        "policy",
        "ranking",
        "risk_levels",
        "tier_names",
        "valuation",
    )

    def __init__(self, policy: Policy, model: Model) -> None:
        """ModelError when the money of both is in different currencies."""
        self.ranking = ranking_currency(policy, model)
        """The currency in which customers are ranked and valued; empty: each in their own."""
        self.policy = policy
        self.model = model
        self.meaning = Meaning(policy)
        self.cutoffs = cutoffs_minor(policy.ladder, model)
        self.tier_names = tuple(step.name for step in policy.ladder.steps)
        finance = policy.finance
        self.valuation = valuation(model, finance.risk_horizon_ms, finance.annual_discount, finance.margin)
        self.churn_tier = policy.tier_rank(policy.churn_risk.tier_min)
        self.at_risk_tier = policy.tier_rank(policy.at_risk_loyal.tier_min)
        self.hysteresis: dict[AlertKind, Hysteresis] = {
            **{kind: getattr(policy, kind).hysteresis for kind in ALERT_KINDS},
            "churn_risk": _churn_hysteresis(policy, model),
            "upgrade_opportunity": _upgrade_hysteresis(policy, model),
        }
        self._risks, self._drifts = _drift_scale(self.hysteresis)
        loyal, churn = self.hysteresis["at_risk_loyal"], self.hysteresis["churn_risk"]
        self.risk_levels: dict[AlertKind, tuple[float, float]] = {
            "at_risk_loyal": (self.risk_of(loyal.raise_at), self.risk_of(loyal.escalate_at)),
            "churn_risk": (churn.raise_at, churn.escalate_at),
        }
        """Churn risks at which a kind of alert is raised, and at which it escalates; for kinds that depend
        on it."""
        self.clear_risks: dict[AlertKind, float] = {
            "at_risk_loyal": self.risk_of(loyal.clear_at),
            "churn_risk": churn.clear_at,
        }
        """Churn risks below which such a kind of alert clears."""

    def drifting(self, risk: float) -> float:
        """A churn risk on the scale of at_risk_loyal, 0 to 1 (see `_drift_scale`)."""
        return _interpolated(self._risks, self._drifts, risk)

    def risk_of(self, drifting: float) -> float:
        """The churn risk that has this value on the scale of at_risk_loyal: the inverse of `drifting`."""
        return _interpolated(self._drifts, self._risks, drifting)


def _drift_scale(hysteresis: dict[AlertKind, Hysteresis]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Churn risks, and the drifting (0 to 1, scale of at_risk_loyal) that each stands for; both rise.

    The thresholds at which churn_risk clears and raises, which a model may have learnt, stand for the shipped
    thresholds of at_risk_loyal. So with the shipped policy both kinds react at the same risk, and a policy
    that sets other thresholds for at_risk_loyal moves it.
    """
    learnt, shipped = hysteresis["churn_risk"], AtRiskLoyalRule().hysteresis
    pairs = sorted(
        {(0.0, 0.0), (learnt.clear_at, shipped.clear_at), (learnt.raise_at, shipped.raise_at), (1.0, 1.0)}
    )
    rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    scale = pairs if rising else [(0.0, 0.0), (1.0, 1.0)]
    return tuple(risk for risk, _ in scale), tuple(drift for _, drift in scale)


def _interpolated(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """The value at x of the line through the points (xs, ys): exact at the points, flat beyond both ends."""
    place = bisect_right(xs, x) - 1
    if place < 0 or xs[place] == x or place == len(xs) - 1:
        return ys[max(0, place)]
    low, high = ys[place], ys[place + 1]
    return low + (high - low) * (x - xs[place]) / (xs[place + 1] - xs[place])


def _churn_hysteresis(policy: Policy, model: Model) -> Hysteresis:
    """The policy's hysteresis of churn_risk, with the model's thresholds if it has some and the policy
    uses them."""
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


def _upgrade_hysteresis(policy: Policy, model: Model) -> Hysteresis:
    """The policy's hysteresis of upgrade_opportunity, raised at the model's score if it has a higher one and
    the policy limits them."""
    given, learnt = policy.upgrade_opportunity.hysteresis, model.upgrade
    if learnt is None or policy.upgrade_opportunity.monthly_share_max == 1.0:
        return given
    if learnt.raise_at <= given.raise_at:
        return given
    return structs.replace(
        given, raise_at=learnt.raise_at, escalate_at=max(given.escalate_at, learnt.raise_at)
    )
