"""What a customer is worth: the one place where facts and the stated risk become money.

Alerts, explanations and pages all take their numbers from here, so that a customer with a risk of 61% is
not worth what the purchase process alone would make of them.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Profile
from stream.core.facts.sums import monetary_minor
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import Standing
from stream.core.risk.churn import logistic
from stream.core.risk.outlook import Outlook, outlook
from stream.core.value.interval import value_interval
from stream.core.value.lifetime import Valuation, finite_value_minor
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
    seen, chance = _seen(profile, now, basis, now.as_of_ms), chance_of_buying(now, basis, now.as_of_ms)
    return expected_of(basis.valuation, seen, monetary_minor(profile.buying.sums), chance)


def expected_of(rules: Valuation, seen: Outlook, mean_minor: float, chance: float | None) -> float:
    """The same of a customer in a study.

    `mean_minor` is the mean of the repeat purchases, `chance` the stated one of a purchase within the own
    horizon (None: the purchase process's own).
    """
    return finite_value_minor(rules, seen.x, seen.t_x, seen.T, mean_minor, chance, seen.reach)


def spread_now(profile: Profile, now: Standing, basis: Basis) -> Spread:
    """How far that profit may be from its expectation."""
    return _spread(profile, now, basis, now.as_of_ms)


def spread_if_kept(profile: Profile, now: Standing, basis: Basis) -> Spread:
    """The same as it was right after the last purchase: what is to be had again if the customer is kept."""
    assert now.features is not None
    return _spread(profile, now, basis, now.features.last_ms)


def _spread(profile: Profile, now: Standing, basis: Basis, as_of_ms: int) -> Spread:
    seen, chance = _seen(profile, now, basis, as_of_ms), chance_of_buying(now, basis, as_of_ms)
    mean_minor = monetary_minor(profile.buying.sums)
    return Spread(
        *value_interval(basis.valuation, seen.x, seen.t_x, seen.T, mean_minor, chance, reach=seen.reach)
    )


def _seen(profile: Profile, now: Standing, basis: Basis, as_of_ms: int) -> Outlook:
    """The customer as value takes them, at the instant of the standing or at the last purchase."""
    if basis.model.seasons is not None or basis.model.trend is not None:
        assert now.features is not None
        season = now.curve.season if now.curve is not None else None
        return outlook(basis.model, basis.valuation, now.features, as_of_ms, season)
    history = summary(profile.buying, as_of_ms, basis.model.process.unit_ms)
    return Outlook(history.frequency, history.recency, history.T, None)


def chance_of_buying(now: Standing, basis: Basis, as_of_ms: int) -> float | None:
    """The stated chance of a purchase within the customer's own horizon, as of the standing or another time.

    None for a model without a learnt layer: it states what its purchase process says.
    """
    if basis.model.risk is None or now.curve is None:
        return None
    if as_of_ms == now.as_of_ms:
        return 1.0 - now.risk
    return 1.0 - logistic(now.curve.log_odds(as_of_ms))
