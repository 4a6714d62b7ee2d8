"""Churn risk: the probability of no purchase within the customer's own horizon, and why.

Silence only raises it: every feature that moves while nothing happens is monotone in time, and the model may
only weigh it that way. So the instant at which silence alone crosses a threshold exists, and is solved for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from stream.core.clv import EXP_MAX
from stream.core.model import DAY_MS, Model, RiskSegment
from stream.core.silence import REMEMBERED, Silence, silence

ENGAGEMENT_HALF_LIFE_MS = 30 * DAY_MS
RECENT_HALF_LIFE_MS = 90 * DAY_MS
NEVER_MS = 20 * 366 * DAY_MS
"""How long after the last purchase a crossing is looked for."""

RISES, FALLS, STANDS = 1, -1, 0
SILENCE: dict[str, int] = {
    "churn_logit": RISES,  # log-odds of no purchase within the own horizon, by the purchase process
    "dead_logit": RISES,  # log-odds of having left for good (the MBG form, which knows one-time buyers too)
    "silence": RISES,  # log of days since the last purchase
    "lateness": RISES,  # log of silence over the customer's own mean gap
    "silence_rank": RISES,  # its mid-rank in the population
    "age": RISES,  # log of days since the first purchase
    "recent": FALLS,  # purchases, forgotten with a half-life of 90 days
    "engagement": FALLS,  # engagement, forgotten with a half-life of 30 days
    "span": STANDS,  # log of days from the first to the last purchase
    "frequency": STANDS,
    "frequency_rank": STANDS,
    "monetary": STANDS,
    "monetary_rank": STANDS,
    "pace": STANDS,  # log of the own mean gap
    "momentum": STANDS,  # log of the last gap over the own mean gap
    "regularity": STANDS,
    "first_value": STANDS,
    "sentiment": STANDS,
    "returns": STANDS,
    "tickets": STANDS,
}
"""Every feature, and what silence does to it: a rising one may only weigh up, a falling one only down."""
NAMES = tuple(SILENCE)


class Features(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one customer at the last event; whatever is unknown keeps its neutral default."""

    frequency: int
    """x: distinct purchase days after the first."""
    first_ms: int
    last_ms: int
    monetary_minor: float = 0.0
    """Mean money of a repeat purchase day; 0 while there is none."""
    first_minor: float = 0.0
    """Money of the first purchase day."""
    last_gap_ms: int = 0
    """Between the last two purchase days; 0: unknown."""
    regularity: float = 0.0
    """Standard deviation of the gaps over their mean: 0 is a clock, or unknown."""
    recent: float = 0.0
    """Purchases, decayed to `last_ms` (half-life 90 days)."""
    engagement: float = 0.0
    """Engagement events decayed to `engagement_ms` (half-life 30 days)."""
    engagement_ms: int = 0
    sentiment: float = 0.0
    """Mean sentiment of feedback, -1 to 1; 0: none."""
    returns: float = 0.0
    """Share of spent money that was refunded."""
    tickets: float = 0.0
    """Open tickets and complaints."""


class Risk(Struct, frozen=True, gc=False):
    """A score and its explanation: `base` and the contributions sum to the score's log-odds."""

    score: float
    base: float
    contributions: tuple[tuple[str, float], ...]
    """Feature and log-odds it adds, weightiest first."""


Log = Callable[[int], float]
"""The score's log-odds as a function of the instant, while nothing happens."""


def churn_risk(model: Model, features: Features, as_of_ms: int) -> Risk:
    """The score with its reasons; `risk_score` is the cheaper way to the number alone."""
    if model.risk is None:
        return _unlearnt(model, features, as_of_ms)
    segment, terms = _segment(model, features.frequency)
    observed = observe(model, features, as_of_ms)
    parts = [(NAMES[at], weight * (observed[at] - centre)) for at, weight, centre in terms]
    parts.sort(key=lambda part: -abs(part[1]))
    logit = segment.intercept + math.fsum(part[1] for part in parts)
    return Risk(score=logistic(logit), base=segment.intercept, contributions=tuple(parts))


def risk_score(model: Model, features: Features, as_of_ms: int) -> float:
    """The probability of no purchase within the own horizon from `as_of_ms` on."""
    if model.risk is None:
        return logistic(_own_silence(model, features).log_odds(max(0, as_of_ms - features.last_ms)))
    return logistic(_layer_log_odds(model, features)(as_of_ms))


def _own_silence(model: Model, features: Features) -> Silence:
    return silence(model, features.frequency, features.last_ms - features.first_ms)


def _layer_log_odds(model: Model, features: Features) -> Log:
    """The log-odds as a function of time, with everything that silence does not move worked out once."""
    segment, terms = _segment(model, features.frequency)
    start = observe(model, features, features.last_ms)
    constant = segment.intercept
    moving = []
    for at, weight, centre in terms:
        if SILENCE[NAMES[at]] == STANDS:
            constant += weight * (start[at] - centre)
        elif weight:
            constant -= weight * centre
            moving.append((at, weight))

    def log_odds(as_of_ms: int) -> float:
        observed = _moving(model, features, as_of_ms)
        total = constant
        for at, weight in moving:
            total += weight * observed[at]
        return total

    return log_odds


def crossing_ms(model: Model, features: Features, threshold: float, from_ms: int | None = None) -> int | None:
    """The first instant, from `from_ms` (the last purchase) on, at which silence alone lifts the score to the
    threshold; None if 20 years of silence do not. The score just before is below it, to the millisecond."""
    low = features.last_ms if from_ms is None else max(from_ms, features.last_ms)
    if model.risk is None:
        span_ms = features.last_ms - features.first_ms
        after_ms = _silence_reaching(model, features.frequency, span_ms, threshold)
        return None if after_ms is None else max(low, features.last_ms + after_ms)
    log_odds = _layer_log_odds(model, features)
    return _first_crossing(log_odds, threshold, low, features.last_ms)


@lru_cache(maxsize=REMEMBERED)
def _silence_reaching(model: Model, x: int, span_ms: int, threshold: float) -> int | None:
    """The silence that lifts the score to the threshold, by the purchase process alone."""
    return _first_crossing(silence(model, x, span_ms).log_odds, threshold, 0, 0)


def _first_crossing(log_odds: Log, threshold: float, low: int, zero: int) -> int | None:
    goal, high = math.log(threshold / (1.0 - threshold)), zero + NEVER_MS
    at_low = log_odds(low) - goal
    if at_low >= 0.0:
        return low
    if high <= low or (at_high := log_odds(high) - goal) < 0.0:
        return None
    return _first_at_least(log_odds, goal, (low, at_low), (high, at_high), zero)


def _first_at_least(
    log_odds: Log, goal: float, low: tuple[int, float], high: tuple[int, float], zero: int
) -> int:
    """Regula falsi (Illinois) in log time, where these scores are nearly straight, then a pinch of the root.

    Both ends stay integers and their signs are checked, so that the answer is exact however f is rounded.
    """
    (low_ms, at_low), (high_ms, at_high) = low, high
    low_log, high_log = math.log(low_ms - zero + DAY_MS), math.log(high_ms - zero + DAY_MS)
    pinch, same_side, tries = 1, 0, 0
    while high_ms - low_ms > 1:
        tries += 1
        share = at_low / (at_low - at_high) if tries % 16 else 0.5
        guess = zero - DAY_MS + round(math.exp(low_log + share * (high_log - low_log)))
        if guess - low_ms < pinch:
            guess, pinch = low_ms + pinch, pinch * 16
        elif high_ms - guess < pinch:
            guess, pinch = high_ms - pinch, pinch * 16
        guess = min(max(guess, low_ms + 1), high_ms - 1)
        value = log_odds(guess) - goal
        if value >= 0.0:
            if same_side > 0:
                at_low *= 0.5
            high_ms, at_high, high_log, same_side = guess, value, math.log(guess - zero + DAY_MS), 1
        else:
            if same_side < 0:
                at_high *= 0.5
            low_ms, at_low, low_log, same_side = guess, value, math.log(guess - zero + DAY_MS), -1
    return high_ms


def logistic(log_odds: float) -> float:
    """1 / (1 + exp(-log_odds)) without overflow."""
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -EXP_MAX else 0.0


def observe(model: Model, features: Features, as_of_ms: int) -> list[float]:
    """Every feature of one customer at one instant, in the order of NAMES."""
    observed = _moving(model, features, as_of_ms)
    process, population = model.process, model.population
    x = features.frequency
    span_days = (features.last_ms - features.first_ms) / DAY_MS
    gap_days = _own_silence(model, features).gap * process.unit_ms / DAY_MS
    observed[8] = math.log1p(span_days)
    observed[9] = math.log1p(x)
    observed[10] = population.frequency.rank(x)
    observed[11] = math.log1p(max(0.0, features.monetary_minor) / model.spend.scale_minor)
    observed[12] = population.monetary_minor.rank(features.monetary_minor)
    observed[13] = math.log(gap_days)
    if features.last_gap_ms > 0:
        observed[14] = math.log(features.last_gap_ms / DAY_MS / gap_days)
    observed[15] = features.regularity
    observed[16] = math.log1p(max(0.0, features.first_minor) / model.spend.scale_minor)
    observed[17] = features.sentiment
    observed[18] = features.returns
    observed[19] = math.log1p(features.tickets)
    return observed


def _moving(model: Model, features: Features, as_of_ms: int) -> list[float]:
    """The features that silence moves; the others are left 0."""
    own, silent_ms = _own_silence(model, features), max(0, as_of_ms - features.last_ms)
    silent_days = silent_ms / DAY_MS
    observed = [0.0] * len(NAMES)
    observed[0] = own.log_odds(silent_ms)
    observed[1] = own.left_log_odds(silent_ms)
    observed[2] = math.log1p(silent_days)
    observed[3] = math.log1p(silent_ms / model.process.unit_ms / own.gap)
    observed[4] = model.population.inactive_days.rank(silent_days)
    observed[5] = math.log1p(silent_days + (features.last_ms - features.first_ms) / DAY_MS)
    observed[6] = math.log1p(features.recent * 0.5 ** (silent_ms / RECENT_HALF_LIFE_MS))
    if features.engagement > 0.0:
        age_ms = max(0, as_of_ms - features.engagement_ms)
        observed[7] = math.log1p(features.engagement * 0.5 ** (age_ms / ENGAGEMENT_HALF_LIFE_MS))
    return observed


def _unlearnt(model: Model, features: Features, as_of_ms: int) -> Risk:
    """Without a learnt layer: the purchase process alone, split into habit and silence."""
    own = _own_silence(model, features)
    now, at_last = own.log_odds(max(0, as_of_ms - features.last_ms)), own.log_odds(0)
    base = silence(model, 0, 0).log_odds(0)
    parts = [("frequency", at_last - base), ("silence", now - at_last)]
    parts.sort(key=lambda part: -abs(part[1]))
    return Risk(score=logistic(now), base=base, contributions=tuple(parts))


Terms = tuple[tuple[int, float, float], ...]


def _segment(model: Model, frequency: int) -> tuple[RiskSegment, Terms]:
    for low, segment, terms in _compiled(model):
        if frequency >= low:
            return segment, terms
    raise AssertionError("the first segment starts at 0")


@lru_cache(maxsize=8)
def _compiled(model: Model) -> tuple[tuple[int, RiskSegment, Terms], ...]:
    """Segments from the highest frequency down, with terms as (place, weight per unit, centre)."""
    layer = model.risk
    assert layer is not None
    return tuple(
        (
            segment.frequency_min,
            segment,
            tuple(
                (NAMES.index(term.feature), term.weight / term.scale, term.centre) for term in segment.terms
            ),
        )
        for segment in reversed(layer.segments)
    )
