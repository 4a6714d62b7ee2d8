"""What a customer is worth: the one place where facts and the stated risk become money.

Alerts, explanations and pages all take their numbers from here, so that a customer with a risk of 61% is
not worth what the purchase process alone would make of them.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import Standing
from stream.core.risk.churn import logistic
from stream.core.value.interval import value_interval
from stream.core.value.lifetime import finite_value_minor
from stream.core.value.rfm import summary


class Spread(Struct, frozen=True, gc=False):
    """Percentiles of what a customer brings within the policy's `risk_horizon`, in minor units."""

    p10_minor: float
    p50_minor: float
    p90_minor: float


def is_priced(profile: Profile, now: Standing) -> bool:
    """Whether it is known what the customer pays, in the currency in which customers are valued."""
    return now.features is not None and now.ranked and bool(profile.buying.sums.gross_minor)


def expected_minor(profile: Profile, now: Standing, basis: Basis) -> float:
    """Expected profit from a customer with a purchase, from the instant of the standing on; minor units."""
    history = summary(profile.buying, now.as_of_ms, basis.model.process.unit_ms)
    numbers = history.frequency, history.recency, history.T, history.monetary_minor
    return finite_value_minor(basis.valuation, *numbers, chance_of_buying(now, basis))


def spread_now(profile: Profile, now: Standing, basis: Basis) -> Spread:
    """How far that profit may be from its expectation."""
    history = summary(profile.buying, now.as_of_ms, basis.model.process.unit_ms)
    numbers = history.frequency, history.recency, history.T, history.monetary_minor
    return Spread(*value_interval(basis.valuation, *numbers, chance_of_buying(now, basis)))


def spread_if_kept(profile: Profile, now: Standing, basis: Basis) -> Spread:
    """The same as it was right after the last purchase: what is to be had again if the customer is kept."""
    history = summary(profile.buying, now.as_of_ms, basis.model.process.unit_ms)
    x, t_x = history.frequency, history.recency
    assert now.features is not None
    chance = chance_of_buying(now, basis, now.features.last_ms)
    return Spread(*value_interval(basis.valuation, x, t_x, t_x, history.monetary_minor, chance))


def chance_of_buying(now: Standing, basis: Basis, as_of_ms: int | None = None) -> float | None:
    """The stated chance of a purchase within the customer's own horizon, by default as of the standing.

    None for a model without a learnt layer: it states what its purchase process says.
    """
    if basis.model.risk is None or now.curve is None:
        return None
    if as_of_ms is None:
        return 1.0 - now.risk
    return 1.0 - logistic(now.curve.log_odds(as_of_ms))
