"""One customer's churn risk as a function of time; what silence does not move is computed once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from stream.core.model.evenness import OwnRhythm
from stream.core.model.features import (
    OF_CUSTOMER,
    OF_FADING,
    OF_HABIT,
    OF_SEASON,
    OF_SILENCE,
    OVERDUE,
    Feature,
    Features,
    Formula,
    Observation,
    overdue,
    rhythm_of,
)
from stream.core.model.record import Model, RiskSegment
from stream.core.risk.inactivity import HABITS_REMEMBERED, Inactivity, inactivity
from stream.core.risk.season import MonthTime, Season, horizon_in, season_of
from stream.core.units import DAY_MS, MONTHS_OF_YEAR

EVERY_MONTH = range(MONTHS_OF_YEAR)

Weighed = tuple[tuple[float, Formula, float, float], ...]
"""Features with their weights (log-odds per unit of the feature) and the least and the greatest value to
which they are held; those of weight 0 are left out."""


class SegmentTerms(Struct, frozen=True, gc=False):
    """A segment of the learnt layer as curves read it: its features by what they depend on."""

    constant: float
    """Intercept, less weight times centre of every feature."""
    of_habit: Weighed
    of_customer: Weighed
    of_silence: Weighed
    of_fading: Weighed
    fades: bool
    """Whether the fading features count even where they are 0: the lessons had none so low."""
    of_rhythm: Weighed


class Habit(Struct, frozen=True, gc=False):
    """What all customers with the same number of purchase days and the same span have in common, in the
    learnt layer."""

    own: Inactivity
    terms: SegmentTerms
    constant: float
    """Log-odds that silence does not move."""
    usual: float
    """Log-odds that silence adds by the time at which nine in ten such customers have bought again."""


class RiskCurve(Struct, frozen=True, gc=False):
    """The churn risk of one customer as a function of time, as long as nothing happens."""

    model: Model
    features: Features
    own: Inactivity
    constant: float = 0.0
    """Log-odds that silence does not move."""
    of_silence: Weighed | None = None
    """None: the model has no learnt layer, and the risk is that of the purchase process alone."""
    of_fading: Weighed = ()
    usual: float = 0.0
    """Log-odds that silence adds by the time at which nine in ten such customers have bought again; of the
    learnt layer."""
    season: Season | None = None
    """The customer's purchasing time; None: the model knows no seasons, and it is that of the calendar."""
    of_rhythm: Weighed = ()
    rhythm: OwnRhythm | None = None
    """None: the model does not look at the customer's own rhythm."""

    def log_odds(self, as_of_ms: int) -> float:
        """Log-odds of no purchase within the customer's own horizon after an instant."""
        features = self.features
        if self.season is not None:
            return self.in_month(self.season.month(as_of_ms)).log_odds(as_of_ms)
        silent_ms = as_of_ms - features.last_ms if as_of_ms > features.last_ms else 0
        if self.of_silence is None:
            return self.own.log_odds(silent_ms)
        return self.of(Observation(self.model, features, self.own, as_of_ms, silent_ms))

    def in_month(self, month: int) -> MonthCurve:
        """The same within a calendar month (months since January 1970), by a model that knows seasons."""
        season = self.season
        assert season is not None
        own = own_in(self.own, season, month % MONTHS_OF_YEAR)
        return MonthCurve(self, own, season.time_in(month))

    def highest(self, as_of_ms: int, silent_ms: int, places: Iterable[int]) -> float:
        """No log-odds are higher until an instant with so much silence, in these months of the year (0:
        January)."""
        return self._with_horizon(min(self._horizons(places)), as_of_ms, silent_ms)

    def lowest(self, as_of_ms: int) -> float:
        """No log-odds are lower from an instant on."""
        assert self.season is not None
        return self._with_horizon(max(self._horizons(EVERY_MONTH)), as_of_ms, self.season.silent_ms(as_of_ms))

    def _horizons(self, places: Iterable[int]) -> list[float]:
        """The customer's horizon in months of the year: days of purchasing time."""
        assert self.season is not None
        year, days = self.season.year, self.own.horizon * (self.own.unit_ms / DAY_MS)
        return [horizon_in(year, days, place) for place in places]

    def _with_horizon(self, days: float, as_of_ms: int, silent_ms: int) -> float:
        own = with_horizon(self.own, days)
        return self.of(Observation(self.model, self.features, own, as_of_ms, silent_ms, self.season))

    def of(self, at: Observation) -> float:
        """Log-odds by an observation of this customer."""
        if self.of_silence is None:
            return at.own.log_odds(at.silent_ms)
        fading = _sum(self.of_fading, at)
        if self.rhythm is not None:
            weight, _, low, high = self.of_rhythm[0]
            fading += weight * min(max(overdue(self.rhythm, at.silent_ms), low), high)
        return self.constant + _sum(self.of_silence, at) + fading

    @property
    def usual_ms(self) -> int:
        """The silence within which nine in ten such customers, if they have not left, have bought again."""
        usual_ms = self.own.usual_ms
        if self.rhythm is None or (log_ms := self.rhythm.usual_log_ms) >= math.log(usual_ms + 1):
            return usual_ms
        return max(DAY_MS, int(math.exp(log_ms)))

    def usual_log_odds(self) -> float:
        """By the learnt layer the same, at the time at which nine in ten such customers have bought again."""
        if self.rhythm is not None:
            return self.log_odds(self.features.last_ms + self.usual_ms)
        usual_ms = self.own.usual_ms
        at = Observation(self.model, self.features, self.own, self.features.last_ms + usual_ms, usual_ms)
        return self.constant + self.usual + _sum(self.of_fading, at)


class MonthCurve(NamedTuple):
    """A risk curve within one calendar month: the horizon is the same, and purchasing time passes evenly."""

    curve: RiskCurve
    own: Inactivity
    time: MonthTime

    def log_odds(self, as_of_ms: int) -> float:
        """Log-odds of no purchase within the customer's own horizon after an instant of the month."""
        curve, silent_ms = self.curve, self.time.silent_ms(as_of_ms)
        return curve.of(Observation(curve.model, curve.features, self.own, as_of_ms, silent_ms, curve.season))


def in_season(
    model: Model, features: Features, own: Inactivity, season: Season, as_of_ms: int
) -> Observation:
    """The observation of a customer by a model that knows seasons: silence and horizon in purchasing time."""
    month = season.month(as_of_ms)
    own = own_in(own, season, month % MONTHS_OF_YEAR)
    return Observation(model, features, own, as_of_ms, season.time_in(month).silent_ms(as_of_ms), season)


def own_in(own: Inactivity, season: Season, place: int) -> Inactivity:
    """The purchase process as it is in a month of the year (0: January): its horizon in purchasing time."""
    return with_horizon(own, horizon_in(season.year, own.horizon * (own.unit_ms / DAY_MS), place))


def with_horizon(own: Inactivity, days: float) -> Inactivity:
    """The purchase process with a horizon of so many days."""
    unit_ms, rate, age, left, odds, _, gap, usual_ms = own
    return Inactivity(unit_ms, rate, age, left, odds, days / (unit_ms / DAY_MS), gap, usual_ms)


def risk_curve(model: Model, features: Features) -> RiskCurve:
    """The curve of one customer: by the learnt layer if the model has one, else by the purchase process."""
    x, span_ms = features.frequency, features.last_ms - features.first_ms
    season = season_of(model.seasons, features) if model.seasons is not None else None
    if model.risk is None:
        return RiskCurve(model, features, inactivity(model, x, span_ms), season=season)
    habit = _habit(model, x, span_ms)
    constant, terms, own = habit.constant, habit.terms, habit.own
    at = Observation(model, features, own, features.last_ms, 0)
    for weight, formula, low, high in terms.of_customer:
        value = formula(at)
        constant += weight * (value if low <= value <= high else low if value < low else high)
    of_fading = terms.of_fading if features.recent or features.engagement or terms.fades else ()
    rhythm = rhythm_of(model, features, own) if terms.of_rhythm else None
    return RiskCurve(
        model,
        features,
        own,
        constant,
        of_silence=terms.of_silence,
        of_fading=of_fading,
        usual=habit.usual,
        season=season,
        of_rhythm=terms.of_rhythm,
        rhythm=rhythm,
    )


def segment_of(model: Model, frequency: int) -> RiskSegment:
    """The segment of the learnt layer for customers with this number of repeat purchase days."""
    assert model.risk is not None
    return next(one for one in reversed(model.risk.segments) if frequency >= one.frequency_min)


@lru_cache(maxsize=HABITS_REMEMBERED)
def _habit(model: Model, x: int, span_ms: int) -> Habit:
    own = inactivity(model, x, span_ms)
    terms = _segment_terms(segment_of(model, x))
    features = Features(frequency=x, first_ms=0, last_ms=span_ms)
    at = Observation(model, features, own, span_ms + own.usual_ms, own.usual_ms)
    constant = terms.constant
    for weight, formula, low, high in terms.of_habit:
        value = formula(at)
        constant += weight * (value if low <= value <= high else low if value < low else high)
    return Habit(own, terms, constant, _sum(terms.of_silence, at))


@lru_cache(maxsize=32)
def _segment_terms(segment: RiskSegment) -> SegmentTerms:
    weights: dict[str, float] = {}
    held = {term.feature: term.held for term in segment.terms}
    constant = segment.intercept
    for term in segment.terms:
        weight = term.weight / term.scale
        weights[term.feature] = weights.get(term.feature, 0.0) + weight
        constant -= weight * term.centre

    def weighed(features: tuple[Feature, ...]) -> Weighed:
        found: list[tuple[float, Formula, float, float]] = []
        for joined, group in groupby(features, key=lambda feature: feature.joined):
            terms = [
                (weights[one.name], one.formula, *held[one.name]) for one in group if weights.get(one.name)
            ]
            found += [(1.0, _joined(tuple(terms)), -math.inf, math.inf)] if joined and terms else terms
        return tuple(found)

    of_fading = weighed(OF_FADING)
    fades = any(low > 0.0 or high < 0.0 for _, _, low, high in of_fading)
    return SegmentTerms(
        constant,
        weighed(OF_HABIT),
        weighed(OF_CUSTOMER),
        weighed(OF_SILENCE + OF_SEASON),
        of_fading,
        fades,
        weighed((OVERDUE,)),
    )


def _joined(terms: Weighed) -> Formula:
    return lambda at: _sum(terms, at)


def _sum(terms: Weighed, at: Observation) -> float:
    total = 0.0
    for weight, formula, low, high in terms:
        value = formula(at)
        total += weight * (value if low <= value <= high else low if value < low else high)
    return total
