"""One customer's risk as a function of silence alone; what silence does not move is worked out once."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

from msgspec import Struct

from stream.core.model.features import (
    OF_CUSTOMER,
    OF_FADING,
    OF_HABIT,
    OF_SILENCE,
    Feature,
    Features,
    Formula,
    Observation,
)
from stream.core.model.record import Model, RiskSegment
from stream.core.risk.inactivity import HABITS_REMEMBERED, Inactivity, inactivity

Weighed = tuple[tuple[float, Formula], ...]
"""Features with their weights, in log-odds per unit; those that weigh nothing are left out."""


class SegmentTerms(Struct, frozen=True, gc=False):
    """A segment of the learnt layer as the curve reads it: the weighed features by what they depend on."""

    constant: float
    of_habit: Weighed
    of_customer: Weighed
    of_silence: Weighed
    of_fading: Weighed


class Habit(Struct, frozen=True, gc=False):
    """What all customers with one number of purchase days and one span between them have in common."""

    own: Inactivity
    terms: SegmentTerms | None
    """None: the model has no learnt layer; the risk is that of the purchase process."""
    constant: float
    """Log-odds that silence does not move."""
    usual: float
    """Log-odds that silence adds by the time at which nine in ten such customers have bought again."""


class RiskCurve(Struct, frozen=True, gc=False):
    """The risk of one customer as long as nothing happens."""

    model: Model
    features: Features
    habit: Habit
    constant: float
    """Log-odds that silence does not move, those of the customer's own features included."""

    def log_odds(self, as_of_ms: int) -> float:
        """Log-odds of no purchase within the customer's own horizon."""
        features, habit = self.features, self.habit
        silent_ms = as_of_ms - features.last_ms if as_of_ms > features.last_ms else 0
        terms = habit.terms
        if terms is None:
            return habit.own.log_odds(silent_ms)
        at = Observation(self.model, features, habit.own, as_of_ms, silent_ms)
        total = 0.0
        for weight, formula in terms.of_silence:
            total += weight * formula(at)
        total += self.constant
        return total + _sum(terms.of_fading, at) if features.recent or features.engagement else total

    def usual_log_odds(self) -> float:
        """The same at the time at which nine in ten such customers have bought again."""
        features, habit = self.features, self.habit
        assert habit.terms is not None
        usual_ms = habit.own.usual_ms
        at = Observation(self.model, features, habit.own, features.last_ms + usual_ms, usual_ms)
        return self.constant + habit.usual + _sum(habit.terms.of_fading, at)


def risk_curve(model: Model, features: Features) -> RiskCurve:
    """The curve of one customer: by the learnt layer, or else by the purchase process alone."""
    habit = _habit(model, features.frequency, features.last_ms - features.first_ms)
    constant, terms = habit.constant, habit.terms
    if terms is not None:
        at = Observation(model, features, habit.own, features.last_ms, 0)
        for weight, formula in terms.of_customer:
            constant += weight * formula(at)
    return RiskCurve(model, features, habit, constant)


def segment_of(model: Model, frequency: int) -> RiskSegment:
    """The part of the learnt layer for customers with so many repeat purchase days."""
    assert model.risk is not None
    return next(one for one in reversed(model.risk.segments) if frequency >= one.frequency_min)


@lru_cache(maxsize=HABITS_REMEMBERED)
def _habit(model: Model, x: int, span_ms: int) -> Habit:
    own = inactivity(model, x, span_ms)
    if model.risk is None:
        return Habit(own, None, 0.0, own.log_odds(own.usual_ms))
    terms = _segment_terms(segment_of(model, x))
    features = Features(frequency=x, first_ms=0, last_ms=span_ms)
    at = Observation(model, features, own, span_ms + own.usual_ms, own.usual_ms)
    constant = terms.constant
    for weight, formula in terms.of_habit:
        constant += weight * formula(at)
    return Habit(own, terms, constant, _sum(terms.of_silence, at))


@lru_cache(maxsize=32)
def _segment_terms(segment: RiskSegment) -> SegmentTerms:
    weights: dict[str, float] = {}
    constant = segment.intercept
    for term in segment.terms:
        weight = term.weight / term.scale
        weights[term.feature] = weights.get(term.feature, 0.0) + weight
        constant -= weight * term.centre

    def weighed(features: tuple[Feature, ...]) -> Weighed:
        found: list[tuple[float, Formula]] = []
        for joined, group in groupby(features, key=lambda feature: feature.joined):
            terms = [(weights[one.name], one.formula) for one in group if weights.get(one.name)]
            found += [(1.0, _joined(tuple(terms)))] if joined else terms
        return tuple(found)

    return SegmentTerms(
        constant, weighed(OF_HABIT), weighed(OF_CUSTOMER), weighed(OF_SILENCE), weighed(OF_FADING)
    )


def _joined(terms: Weighed) -> Formula:
    return lambda at: _sum(terms, at)


def _sum(terms: Weighed, at: Observation) -> float:
    total = 0.0
    for weight, formula in terms:
        total += weight * formula(at)
    return total
