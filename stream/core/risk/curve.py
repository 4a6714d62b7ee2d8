"""One customer's risk as a function of silence alone: what silence does not move is worked out once."""

from __future__ import annotations

import math
from functools import lru_cache

from msgspec import Struct

from stream.core.facts.decay import BASKET_HALF_LIFE_MS, WARMTH_HALF_LIFE_MS
from stream.core.model.feature_names import NAMES
from stream.core.model.record import MidRanks, Model, RiskSegment
from stream.core.risk.features import Features
from stream.core.risk.inactivity import REMEMBERED, Silence, silence, tempered
from stream.core.units import DAY_MS


class Weights(Struct, frozen=True, gc=False):
    """A segment's log-odds per unit of each feature, by the names of `feature_names.NAMES`."""

    constant: float
    churn_logit: float
    dead_logit: float
    silence: float
    lateness: float
    silence_rank: float
    age: float
    recent: float
    engagement: float
    span: float
    frequency: float
    frequency_rank: float
    monetary: float
    monetary_rank: float
    pace: float
    momentum: float
    regularity: float
    first_value: float
    sentiment: float
    returns: float
    tickets: float
    churn_tempered: float
    dead_tempered: float


UNLEARNT = Weights(0.0, **dict.fromkeys(NAMES, 0.0) | {"churn_logit": 1.0})


class Habit(Struct, frozen=True, gc=False):
    """What all customers with the same number of purchase days and the same span have in common."""

    own: Silence
    weights: Weights
    constant: float
    log_gap_days: float
    usual: float
    """What silence itself adds by the time that nine in ten have bought again."""


class Outlook(Struct, frozen=True, gc=False):
    """One customer while nothing happens."""

    own: Silence
    weights: Weights
    ranks: MidRanks
    """Of days since the last purchase, in the population."""
    constant: float
    features: Features
    usual: float
    """What silence itself has added after `own.usual_ms`."""

    def log_odds(self, as_of_ms: int) -> float:
        """Of no purchase within the own horizon."""
        features = self.features
        silent_ms = as_of_ms - features.last_ms if as_of_ms > features.last_ms else 0
        if self.weights is UNLEARNT:
            return self.own.log_odds(silent_ms)
        span_ms = features.last_ms - features.first_ms
        total = self.constant + _silent_log_odds(self.own, self.weights, self.ranks, span_ms, silent_ms)
        return total + self._fading(as_of_ms) if features.recent or features.engagement else total

    def usual_log_odds(self) -> float:
        """The same when nine in ten such customers have bought again."""
        return self.constant + self.usual + self._fading(self.features.last_ms + self.own.usual_ms)

    def _fading(self, as_of_ms: int) -> float:
        """What is forgotten as time passes."""
        weights, features = self.weights, self.features
        total = 0.0
        if weights.recent:
            silent_ms = max(0, as_of_ms - features.last_ms)
            total += weights.recent * math.log1p(features.recent * 0.5 ** (silent_ms / BASKET_HALF_LIFE_MS))
        if weights.engagement and features.engagement > 0.0:
            cold_ms = max(0, as_of_ms - features.engagement_ms)
            warmth = features.engagement * 0.5 ** (cold_ms / WARMTH_HALF_LIFE_MS)
            total += weights.engagement * math.log1p(warmth)
        return total


def _silent_log_odds(own: Silence, weights: Weights, ranks: MidRanks, span_ms: int, silent_ms: int) -> float:
    """The part that silence moves and that all customers of one habit share."""
    churn = own.log_odds(silent_ms)
    total = weights.churn_logit * churn
    if weights.churn_tempered:
        total += weights.churn_tempered * tempered(churn)
    if weights.dead_tempered:
        total += weights.dead_tempered * tempered(own.left_log_odds(silent_ms))
    if weights.dead_logit:
        total += weights.dead_logit * own.left_log_odds(silent_ms)
    if weights.silence_rank:
        total += weights.silence_rank * ranks.rank(silent_ms / DAY_MS)
    if weights.silence:
        total += weights.silence * math.log1p(silent_ms / DAY_MS)
    if weights.lateness:
        total += weights.lateness * math.log1p(silent_ms / own.unit_ms / own.gap)
    if weights.age:
        total += weights.age * math.log1p((span_ms + silent_ms) / DAY_MS)
    return total


def outlook(model: Model, features: Features) -> Outlook:
    """Of one customer: by the learnt layer, or else by the purchase process alone."""
    habit = _habit(model, features.frequency, features.last_ms - features.first_ms)
    weights, constant, ranks = habit.weights, habit.constant, model.population.inactive_days
    if weights is UNLEARNT:
        return Outlook(habit.own, weights, ranks, constant, features, habit.usual)
    scale_minor = model.spend.scale_minor
    monetary_minor, first_minor = features.monetary_minor, features.first_minor
    if monetary_minor > 0.0:
        constant += weights.monetary * math.log1p(monetary_minor / scale_minor)
    if weights.monetary_rank:
        constant += weights.monetary_rank * model.population.monetary_minor.rank(monetary_minor)
    if first_minor > 0.0:
        constant += weights.first_value * math.log1p(first_minor / scale_minor)
    if features.last_gap_ms > 0:
        constant += weights.momentum * (math.log(features.last_gap_ms / DAY_MS) - habit.log_gap_days)
    constant += (
        weights.regularity * features.regularity
        + weights.sentiment * features.sentiment
        + weights.returns * features.returns
    )
    if features.tickets:
        constant += weights.tickets * math.log1p(features.tickets)
    return Outlook(habit.own, weights, ranks, constant, features, habit.usual)


def segment_of(model: Model, frequency: int) -> RiskSegment:
    """The part of the learnt layer for customers with so many repeat purchase days."""
    assert model.risk is not None
    return next(one for one in reversed(model.risk.segments) if frequency >= one.frequency_min)


@lru_cache(maxsize=REMEMBERED)
def _habit(model: Model, x: int, span_ms: int) -> Habit:
    own = silence(model, x, span_ms)
    if model.risk is None:
        return Habit(own, UNLEARNT, 0.0, 0.0, own.log_odds(own.usual_ms))
    weights = _weights(model, segment_of(model, x))
    log_gap_days = math.log(own.gap * own.unit_ms / DAY_MS)
    constant = (
        weights.constant
        + weights.span * math.log1p(span_ms / DAY_MS)
        + weights.frequency * math.log1p(x)
        + weights.frequency_rank * model.population.frequency.rank(x)
        + weights.pace * log_gap_days
    )
    usual = _silent_log_odds(own, weights, model.population.inactive_days, span_ms, own.usual_ms)
    return Habit(own, weights, constant, log_gap_days, usual)


@lru_cache(maxsize=32)
def _weights(model: Model, segment: RiskSegment) -> Weights:
    each = dict.fromkeys(NAMES, 0.0)
    constant = segment.intercept
    for term in segment.terms:
        weight = term.weight / term.scale
        each[term.feature] += weight
        constant -= weight * term.centre
    return Weights(constant, **each)
