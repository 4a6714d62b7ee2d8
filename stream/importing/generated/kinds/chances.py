"""The true chance that a customer buys within a window, from parameters and past purchases: pure arithmetic.

It is what somebody would say who knows how the shop was made and has seen all purchases so far, but not the
future: nobody can know it better. With it as a forecast the Brier score is the least that can be expected.
"""

from __future__ import annotations

from datetime import datetime
from math import erfc, exp, sqrt

from stream.importing.generated.kinds.buyers import Buyer, Pace, RhythmicBuyer, SeasonalBuyer, SteadyBuyer
from stream.importing.generated.shop import DAY


def chance_of_buying(buyer: Buyer, pace: Pace, last_at: datetime, at: datetime, until: datetime) -> float:
    """Chance, 0 to 1, of at least one purchase after `at` up to `until`, given all purchases up to `at`.

    `last_at` is the time of the last purchase up to `at`: in each way of buying the earlier ones say nothing
    more to somebody who knows the parameters. ValueError unless last_at <= at <= until.
    """
    if not last_at <= at <= until:
        raise ValueError(f"not in order: last_at {last_at}, at {at}, until {until}")
    if isinstance(buyer, SteadyBuyer):
        return _steady(buyer, pace, last_at, at, until)
    if isinstance(buyer, SeasonalBuyer):
        return _seasonal(buyer, last_at, at, until)
    return _rhythmic(buyer, (at - last_at) / DAY, (until - at) / DAY)


def _steady(buyer: SteadyBuyer, pace: Pace, last_at: datetime, at: datetime, until: datetime) -> float:
    """P(stayed) x P(buys before leaving): competing exponential times, span by span of constant pace."""
    silent, left_in_silence, _ = _race(buyer, pace, last_at, at)
    stayed = silent / (silent + left_in_silence)
    return stayed * _race(buyer, pace, at, until)[2]


def _race(buyer: SteadyBuyer, pace: Pace, begins: datetime, ends: datetime) -> tuple[float, float, float]:
    """Of a customer who is there at `begins`: the chances of nothing, of leaving first, of buying first."""
    nothing, left, bought = 1.0, 0.0, 0.0
    for days, factor in pace.spans(begins, ends):
        buying, leaving = buyer.orders_per_day * factor, buyer.leaves_per_day
        if buying + leaving == 0.0:
            continue
        stays = exp(-(buying + leaving) * days)
        happens = nothing * (1.0 - stays)
        left += happens * leaving / (buying + leaving)
        bought += happens * buying / (buying + leaving)
        nothing *= stays
    return nothing, left, bought


def _seasonal(buyer: SeasonalBuyer, last_at: datetime, at: datetime, until: datetime) -> float:
    """In the season after the last one or never; what went by of it unused lowers the chance of the rest."""
    begins, ends = buyer.season(last_at.year + 1)
    if until <= begins or at >= ends:
        return 0.0
    gone = max((at - begins) / (ends - begins), 0.0)
    reached = min((until - begins) / (ends - begins), 1.0)
    return buyer.returns * (reached - gone) / (1.0 - buyer.returns * gone)


def _rhythmic(buyer: RhythmicBuyer, silent_days: float, window_days: float) -> float:
    """Bayes: silence comes from having left, or from a gap that is longer than the silence."""
    longer, beyond = _gap_exceeds(buyer, silent_days), _gap_exceeds(buyer, silent_days + window_days)
    stays = 1.0 - buyer.leaves_after_order
    silent = stays * longer + buyer.leaves_after_order
    return stays * (longer - beyond) / silent if silent > 0.0 else 0.0


def _gap_exceeds(buyer: RhythmicBuyer, days: float) -> float:
    if buyer.gap_sd_days is None:
        return exp(-days / buyer.gap_days)
    return 0.5 * erfc((days - buyer.gap_days) / (buyer.gap_sd_days * sqrt(2.0)))
