"""Churn risk: the probability that a customer buys nothing within their own horizon.

What the risk is. A customer's own horizon is two of their mean gaps between purchases, at least a week and at
most a year (defaults of the model record). A purchase process gives the log-odds of no purchase within it:
BG/NBD (Fader, Hardie & Lee 2005) or MBG/NBD (Batislam, Denizel & Filiztekin 2007). A model that was fitted to
a history adds a logistic regression: intercept plus weight times feature, summed over the table of
model/features.py. docs/decisions/0006 says why it is no more than that.

What silence does. While nothing happens, only time moves the risk, and each feature that time moves goes in
one direction. Models are refused unless every weight has the sign with which silence raises the risk. So
until the customer's next event the risk is a function of time that only rises: the `RiskCurve`. What silence
does not move is computed once for a curve; what depends on the number of purchase days and on their span
alone is computed once for all customers with the same two numbers.

How a crossing is found. A rising function reaches a level once, so the instant can be solved for; nobody has
to ask every day. Log-odds are nearly straight in the logarithm of the time since the last purchase, so regula
falsi in log time needs about eleven evaluations (risk/crossing.py). The answer is exact: at its millisecond
the score has reached the level, one millisecond before it has not.

Why reviews are lazy. Most crossings never come, because the customer buys first and starts a new curve. So a
purchase computes only an instant that is certainly not after the crossing, with one or two evaluations: the
time at which nine in ten such customers have bought again, if the risk is below the level there, or most of
the way to a crossing that is estimated from a straight line. Who is still silent at such a review has the
crossing solved for: two reviews per crossing at most. A review that comes too early finds nothing changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from stream.core.model.features import COLUMNS, NAMES, Feature, Features, Observation
from stream.core.model.record import Model, Term
from stream.core.risk.crossing import estimated_ms, first_crossing
from stream.core.risk.curve import RiskCurve, in_season, risk_curve, segment_of
from stream.core.risk.inactivity import HABITS_REMEMBERED, Inactivity, inactivity
from stream.core.risk.season import season_of
from stream.core.risk.season_change import Floor, early_review_ms, first_change_ms
from stream.core.units import DAY_MS
from stream.core.value.clv import EXP_MAX

RISK_MIN = 1e-300
"""Stands for any lower risk, and for one that `logistic` rounds to 0, so that its log-odds are finite."""
CERTAIN = 36.73680056967711
"""The least log-odds whose risk `logistic` rounds to 1. A level of 1 is reached there: a purchase process
alone never comes so far, a learnt layer may."""
SILENCE_MAX_MS = 20 * 366 * DAY_MS
"""20 years: the longest silence in which a crossing is looked for."""


class ExplainedRisk(Struct, frozen=True, gc=False):
    """A risk, 0 to 1, and its explanation: `base` and the contributions add up to its log-odds."""

    score: float
    base: float
    contributions: tuple[tuple[str, float], ...]
    """Name of a feature and the log-odds that it adds, the largest in absolute value first."""


def observe(
    model: Model, features: Features, as_of_ms: int, wanted: Sequence[Feature] = COLUMNS
) -> list[float]:
    """The values of these features for one customer at one instant; by default of all, in the order of
    `NAMES`."""
    own = own_inactivity(model, features)
    if model.seasons is None:
        at = Observation(model, features, own, as_of_ms, max(0, as_of_ms - features.last_ms))
    else:
        at = in_season(model, features, own, season_of(model.seasons, features), as_of_ms)
    return [feature.formula(at) for feature in wanted]


def own_inactivity(model: Model, features: Features) -> Inactivity:
    """What the purchase process makes of this customer's silence."""
    return inactivity(model, features.frequency, features.last_ms - features.first_ms)


def explained_risk(model: Model, features: Features, as_of_ms: int) -> ExplainedRisk:
    """The risk with the contribution of each feature; `risk_score` gives the number alone, at less cost."""
    if model.risk is None:
        return _explained_process(model, features, as_of_ms)
    segment = segment_of(model, features.frequency)
    observed = dict(zip(NAMES, observe(model, features, as_of_ms), strict=True))
    parts = [
        (term.feature, term.weight / term.scale * (_held(observed[term.feature], term) - term.centre))
        for term in segment.terms
    ]
    parts.sort(key=lambda part: -abs(part[1]))
    logit = segment.intercept + math.fsum(part[1] for part in parts)
    return ExplainedRisk(score=logistic(logit), base=segment.intercept, contributions=tuple(parts))


def _held(value: float, term: Term) -> float:
    low, high = term.held
    return min(max(value, low), high)


def risk_score(model: Model, features: Features, as_of_ms: int) -> float:
    """The risk, 0 to 1: the probability of no purchase within the customer's own horizon after `as_of_ms`."""
    return logistic(risk_curve(model, features).log_odds(as_of_ms))


def crossing_ms(model: Model, features: Features, threshold: float, from_ms: int | None = None) -> int | None:
    """The first instant from `from_ms` on at which silence alone brings the risk up to the threshold.

    `from_ms`: by default the last purchase. None if 20 years of silence do not reach the threshold.
    """
    start_ms = features.last_ms if from_ms is None else max(from_ms, features.last_ms)
    last_ms = features.last_ms
    curve = risk_curve(model, features)
    if curve.season is not None:
        return first_change_ms(curve, start_ms, log_odds_of(threshold), None, last_ms + SILENCE_MAX_MS)
    return _crossing_ms(model, curve, threshold, start_ms)


def risk_review_ms(model: Model, curve: RiskCurve, threshold: float, now_ms: int, risk: float) -> int | None:
    """When to review a customer whose risk is below the threshold, if nothing happens until then.

    Never after the crossing, mostly before it: an earlier instant is cheaper to compute (see above).
    `risk` is the one at `now_ms`. None if 20 years of silence do not reach the threshold.
    """
    last_ms = curve.features.last_ms
    if model.risk is not None and now_ms < (early_ms := last_ms + curve.usual_ms):
        goal = log_odds_of(threshold)
        usual = curve.usual_log_odds()
        if usual < goal:
            return early_ms
        if now_ms - last_ms < DAY_MS:
            now = (now_ms, log_odds_of(risk))
            estimate_ms = estimated_ms(now, (early_ms, usual), goal, last_ms)
            if estimate_ms - last_ms >= DAY_MS and curve.log_odds(estimate_ms) < goal:
                return estimate_ms
    return _crossing_ms(model, curve, threshold, max(now_ms, last_ms))


def band_review_ms(
    curve: RiskCurve, up: float | None, down: tuple[float, int] | None, now_ms: int, risk: float
) -> int | None:
    """When to review a customer by a model that knows seasons: never after the risk leaves a band.

    `up`: a level above the risk at `now_ms` which it may reach; `down`: one below, or the risk itself, which
    matters when the risk has fallen below it, as it may at a border of months, and the instant from which on
    it does not matter any more. None if neither happens.
    """
    last_ms = curve.features.last_ms
    goal = None if up is None or up <= risk else log_odds_of(up)
    floor = None if down is None else Floor(log_odds_of(down[0]), down[1])
    now_ms, end_ms = max(now_ms, last_ms), last_ms + SILENCE_MAX_MS
    if goal is not None and now_ms - last_ms < DAY_MS:
        return early_review_ms(curve, (now_ms, log_odds_of(risk)), goal, floor, end_ms)
    return first_change_ms(curve, now_ms, goal, floor, end_ms)


def _crossing_ms(model: Model, curve: RiskCurve, threshold: float, from_ms: int) -> int | None:
    features = curve.features
    last_ms = features.last_ms
    if model.risk is None:
        after_ms = _silence_reaching(model, features.frequency, last_ms - features.first_ms, threshold)
        return None if after_ms is None else max(from_ms, last_ms + after_ms)
    return first_crossing(curve.log_odds, log_odds_of(threshold), from_ms, last_ms + SILENCE_MAX_MS, last_ms)


@lru_cache(maxsize=HABITS_REMEMBERED)
def _silence_reaching(model: Model, x: int, span_ms: int, threshold: float) -> int | None:
    """The silence that brings the risk up to the threshold, by the purchase process alone."""
    own, goal = inactivity(model, x, span_ms), log_odds_of(threshold)
    high_ms = min(SILENCE_MAX_MS, own.surely_left_ms(goal))
    return first_crossing(own.log_odds, goal, 0, high_ms, 0, guess_ms=own.reaching_ms(goal, high_ms))


def log_odds_of(probability: float) -> float:
    """log(p / (1 - p)) of a probability, 0 to 1: the inverse of `logistic`, and finite at both ends.

    A probability below RISK_MIN counts as it, so that a level of a policy can always be looked for.
    """
    if probability >= 1.0:
        return CERTAIN
    return math.log(max(probability, RISK_MIN) / (1.0 - probability))


def logistic(log_odds: float) -> float:
    """The probability 1 / (1 + exp(-log_odds)), without overflow."""
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -EXP_MAX else 0.0


def _explained_process(model: Model, features: Features, as_of_ms: int) -> ExplainedRisk:
    """The risk by the purchase process alone, with two contributions: the habit's and that of silence."""
    now = risk_curve(model, features).log_odds(as_of_ms)
    at_last = own_inactivity(model, features).log_odds(0)
    base = inactivity(model, 0, 0).log_odds(0)
    parts = [("frequency", at_last - base), ("silence", now - at_last)]
    parts.sort(key=lambda part: -abs(part[1]))
    return ExplainedRisk(score=logistic(now), base=base, contributions=tuple(parts))
