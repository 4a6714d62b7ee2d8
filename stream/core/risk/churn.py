"""Churn risk: the probability of no purchase within the customer's own horizon, and why.

Silence only raises it: every feature that moves while nothing happens is monotone in time, and the model may
only weigh it that way. So the instant at which silence alone crosses a threshold exists, and is solved for.
"""

from __future__ import annotations

import math
from functools import lru_cache

from msgspec import Struct

from stream.core.model.features import COLUMNS, NAMES, Features, Observation
from stream.core.model.record import Model
from stream.core.risk.crossing import first_crossing
from stream.core.risk.curve import RiskCurve, risk_curve, segment_of
from stream.core.risk.inactivity import REMEMBERED, Inactivity, inactivity
from stream.core.units import DAY_MS
from stream.core.value.clv import EXP_MAX

RISK_MIN = 1e-300
"""`logistic` says 0 of what is rarer still; its log-odds are finite."""
SILENCE_MAX_MS = 20 * 366 * DAY_MS
"""How long after the last purchase a crossing is looked for."""
MOST = 0.8
"""Of the way to the guessed crossing: far enough that few stay silent for so long, and rarely too far."""


class ExplainedRisk(Struct, frozen=True, gc=False):
    """A score and its explanation: `base` and the contributions sum to the score's log-odds."""

    score: float
    base: float
    contributions: tuple[tuple[str, float], ...]
    """Feature and log-odds it adds, weightiest first."""


def observe(model: Model, features: Features, as_of_ms: int) -> list[float]:
    """Every feature of one customer at one instant, in the order of `NAMES`."""
    silent_ms = max(0, as_of_ms - features.last_ms)
    at = Observation(model, features, own_inactivity(model, features), as_of_ms, silent_ms)
    return [feature.formula(at) for feature in COLUMNS]


def own_inactivity(model: Model, features: Features) -> Inactivity:
    return inactivity(model, features.frequency, features.last_ms - features.first_ms)


def explained_risk(model: Model, features: Features, as_of_ms: int) -> ExplainedRisk:
    """The score with its reasons; `risk_score` is the cheaper way to the number alone."""
    if model.risk is None:
        return _unlearnt(model, features, as_of_ms)
    segment = segment_of(model, features.frequency)
    observed = dict(zip(NAMES, observe(model, features, as_of_ms), strict=True))
    parts = [
        (term.feature, term.weight / term.scale * (observed[term.feature] - term.centre))
        for term in segment.terms
    ]
    parts.sort(key=lambda part: -abs(part[1]))
    logit = segment.intercept + math.fsum(part[1] for part in parts)
    return ExplainedRisk(score=logistic(logit), base=segment.intercept, contributions=tuple(parts))


def risk_score(model: Model, features: Features, as_of_ms: int) -> float:
    """The probability of no purchase within the own horizon from `as_of_ms` on."""
    return logistic(risk_curve(model, features).log_odds(as_of_ms))


def crossing_ms(model: Model, features: Features, threshold: float, from_ms: int | None = None) -> int | None:
    """The first instant, from `from_ms` (the last purchase) on, at which silence alone lifts the score to the
    threshold; None if 20 years of silence do not. The score just before is below it, to the millisecond."""
    low = features.last_ms if from_ms is None else max(from_ms, features.last_ms)
    return _crossing_ms(model, risk_curve(model, features), threshold, low)


def risk_review_ms(model: Model, curve: RiskCurve, threshold: float, now_ms: int, risk: float) -> int | None:
    """When to look at a silent customer of this risk again: at the crossing, or at one instant before it that
    is cheaper to know. Most customers buy before that one, and then the crossing need never be solved for."""
    last_ms = curve.features.last_ms
    if model.risk is not None and now_ms < (early_ms := last_ms + curve.habit.own.usual_ms):
        goal = log_odds_of(threshold)
        usual = curve.usual_log_odds()
        if usual < goal:
            return early_ms
        if now_ms - last_ms < DAY_MS:
            guess_ms = _short_of((now_ms, log_odds_of(max(risk, RISK_MIN))), (early_ms, usual), goal, last_ms)
            if guess_ms - last_ms >= DAY_MS and curve.log_odds(guess_ms) < goal:
                return guess_ms
    return _crossing_ms(model, curve, threshold, max(now_ms, last_ms))


def _short_of(low: tuple[int, float], high: tuple[int, float], goal: float, zero: int) -> int:
    """Most of the way to a goal between two points of a curve that is nearly straight in log time."""
    (low_ms, at_low), (high_ms, at_high) = low, high
    low_log, high_log = math.log(low_ms - zero + DAY_MS), math.log(high_ms - zero + DAY_MS)
    share = MOST * (goal - at_low) / (at_high - at_low)
    return zero - DAY_MS + int(math.exp(low_log + share * (high_log - low_log)))


def _crossing_ms(model: Model, curve: RiskCurve, threshold: float, low: int) -> int | None:
    features = curve.features
    last_ms = features.last_ms
    if model.risk is None:
        after_ms = _silence_reaching(model, features.frequency, last_ms - features.first_ms, threshold)
        return None if after_ms is None else max(low, last_ms + after_ms)
    return first_crossing(curve.log_odds, log_odds_of(threshold), low, last_ms + SILENCE_MAX_MS, last_ms)


@lru_cache(maxsize=REMEMBERED)
def _silence_reaching(model: Model, x: int, span_ms: int, threshold: float) -> int | None:
    """The silence that lifts the score to the threshold, by the purchase process alone."""
    own, goal = inactivity(model, x, span_ms), log_odds_of(threshold)
    return first_crossing(own.log_odds, goal, 0, min(SILENCE_MAX_MS, own.surely_left_ms(goal)), 0)


def log_odds_of(probability: float) -> float:
    """The inverse of `logistic`."""
    return math.log(probability / (1.0 - probability))


def logistic(log_odds: float) -> float:
    """1 / (1 + exp(-log_odds)) without overflow."""
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -EXP_MAX else 0.0


def _unlearnt(model: Model, features: Features, as_of_ms: int) -> ExplainedRisk:
    """Without a learnt layer: the purchase process alone, split into habit and silence."""
    own = own_inactivity(model, features)
    now, at_last = own.log_odds(max(0, as_of_ms - features.last_ms)), own.log_odds(0)
    base = inactivity(model, 0, 0).log_odds(0)
    parts = [("frequency", at_last - base), ("silence", now - at_last)]
    parts.sort(key=lambda part: -abs(part[1]))
    return ExplainedRisk(score=logistic(now), base=base, contributions=tuple(parts))
