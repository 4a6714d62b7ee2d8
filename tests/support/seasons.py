"""Models that know seasons, and customers of a Christmas shop, for tests."""

from __future__ import annotations

import msgspec

from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.core.model.record import BuyerKind, Horizon, Model, RiskLayer, RiskSegment, Seasons, Term
from stream.core.units import DAY_MS
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy

ALL_YEAR = BuyerKind(share=0.6, months=(1 / 12,) * 12)
CHRISTMAS = BuyerKind(share=0.4, months=(*(0.005,) * 10, 0.4, 0.55))
SEASONS = Seasons(kinds=(ALL_YEAR, CHRISTMAS), learnt="for a test")
WEIGHTS = {
    **{"churn_tempered": 0.9, "lateness": 0.4, "silence_rank": 0.5, "recent": -0.1, "engagement": -0.2},
    **{"frequency": -0.2, "season_due": -1.5, "season_away": 0.8},
}


def seasonal(model: Model, seasons: Seasons = SEASONS) -> Model:
    """The model with seasons."""
    return msgspec.structs.replace(model, seasons=seasons, version="")


def seasonal_model(weights: dict[str, float] | None = None, horizon_days: int = 91) -> Model:
    """A model with seasons, a learnt layer and one horizon for everybody."""
    terms = tuple(Term(feature=name, weight=weight) for name, weight in (weights or WEIGHTS).items())
    layer = RiskLayer(
        segments=(RiskSegment(frequency_min=0, intercept=-0.5, terms=terms),), learnt="a test's"
    )
    horizon = Horizon(min_ms=horizon_days * DAY_MS, max_ms=horizon_days * DAY_MS)
    return sealed(msgspec.structs.replace(seasonal(default_model()), risk=layer, horizon=horizon))


def seasonal_basis(horizon_days: int = 91, policy: str = "") -> Basis:
    """The shipped policy, or one with the changes of a text, with such a model."""
    chosen = parse_policy(policy) if policy else default_policy()
    return Basis(chosen, seasonal_model(horizon_days=horizon_days))
