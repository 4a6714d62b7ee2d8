"""The learnt layer of churn risk: logistic regression with a ridge penalty towards the purchase process.

The risk is the probability of no purchase within the horizon. The penalty pulls the weights towards the
log-odds of the purchase process alone, and bounds keep every weight's sign such that silence can only raise
the risk (decision 0006).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import structs
from scipy.optimize import minimize
from scipy.special import expit

from stream.core.model.features import BY_NAME, FALLS, NAMES, RISES, STANDS
from stream.core.model.record import Model, RiskLayer, RiskSegment, Term
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import Snapshot
from stream.fit.risk.training_set import (
    CASES_MIN,
    TrainingRows,
    TrainingSet,
    feature_matrix,
    joined,
    newest_look,
)

LEFT_OUT = ("age", "churn_logit", "dead_logit")
"""Features that the layer does not use. In a young history `age` measures the time since the shop opened and
does not carry over to later customers; the two log-odds are unbounded, their tempered forms are used
instead."""
PROCESS = "churn_logit"
"""The purchase process's own log-odds of no purchase within the horizon."""
RHYTHM = "overdue"
"""The feature that a layer may do without. Days are counted whole, and some shops' customers only look as if
they kept a rhythm: so it is used where, fitted to what was known on the newest training day, it predicted
better what came after it."""
LEFT_OUT_IN_SEASONS = (*LEFT_OUT, "silence_rank", RHYTHM)
"""By a model that knows seasons: a lesson of a year ago had fewer customers who had left, so that the same
silence had a higher rank than it has at the split; and a gap over months without purchases is not uneven."""
FAR = 3.0
"""Standard deviations of the lessons by which the mean of a feature may be away from theirs today."""
ANCHOR = "churn_tempered"
"""The feature whose weight is pulled towards 1, all others towards 0: the purchase process's own log-odds."""
SHRINKAGES = (2.0, 6.0, 20.0, 60.0, 200.0, 1_000.0)
"""Candidates for the ridge penalty on the standardised weights. The one is taken that, fitted to what was
known on the newest training day, predicts best what came after it."""
SHRINKAGE_UNTRIED = SHRINKAGES[-2]
"""The penalty where there are too few cases to choose one: a strong one."""
SHORTFALL = "shortfall"
"""The column with the log of observed over real horizon; it is 0 where the layer is used."""
RATE_MIN = 1e-6
"""The risk that is the same for everybody is kept this far from 0 and 1."""
NOISE = 0.3
"""Standard errors by which a stronger penalty may be worse than the best one, and is taken all the same."""
RHYTHM_GAIN_MIN = 1.0
"""By how many standard errors of the difference the customer's own rhythm has to predict better."""
SPREAD_MIN = 1e-9
"""A feature with a smaller standard deviation is constant and left out."""
WEIGHT_MIN = 1e-6
"""A smaller weight is left out of the record: it moves no risk by a visible amount."""

Columns = tuple[list[str], Numbers]
"""Names and scales of the used features; the scales have shape (features,)."""


class Learnt(NamedTuple):
    """A fitted layer, and what it would have been worth."""

    layer: RiskLayer
    newest: Numbers | None
    """The risks of the newest look (`newest_look`) by the layer that was fitted to what was known by its
    day, shape (customers,); None where that was too little."""


def fit_risk_layer(
    parts: Sequence[TrainingRows], learnt: str, left_out: tuple[str, ...] = LEFT_OUT
) -> Learnt:
    """The risk layer fitted to training rows; `learnt` is the record's sentence about what it learnt from."""
    matrix = np.vstack([np.column_stack([one.features, one.shortfall]) for one in parts])
    training = joined(parts)
    spread = matrix.std(axis=0)
    columns = (*NAMES, SHORTFALL)
    chosen = [at for at, name in enumerate(columns) if spread[at] > SPREAD_MIN and name not in left_out]
    names = [columns[place] for place in chosen]
    centre, scale = matrix[:, chosen].mean(axis=0), spread[chosen]
    low, high = matrix[:, chosen].min(axis=0), matrix[:, chosen].max(axis=0)
    rows = (matrix[:, chosen] - centre) / scale
    choice = _chosen(rows, training, (names, scale))
    used, newest = choice.used, choice.newest
    weights = _regress(rows[:, used], training, _only((names, scale), used), choice.shrinkage)
    intercept, terms = weights[0], []
    for at, weight in zip(np.flatnonzero(used), weights[1:], strict=True):
        name, middle, unit = names[at], centre[at], scale[at]
        if name == SHORTFALL:
            intercept -= weight * middle / unit  # over the real horizon the shortfall is 0
        elif abs(weight) > WEIGHT_MIN:
            held = {"low": _short(low[at]), "high": _short(high[at])}
            terms.append(
                Term(feature=name, weight=_short(weight), centre=_short(middle), scale=_short(unit), **held)
            )
    segment = RiskSegment(frequency_min=0, intercept=_short(intercept), terms=tuple(terms))
    last = len(newest_look(parts).silent)  # of a day's horizons the longest is the last one
    return Learnt(RiskLayer(segments=(segment,), learnt=learnt), None if newest is None else newest[-last:])


def left_out_of(parts: Sequence[TrainingRows], now: Numbers, *, seasonal: bool) -> tuple[str, ...]:
    """The features that a layer does not use: those that none uses, and those whose values of today, shape
    (customers, features), are nothing like those of the lessons.

    A purchase process that knew nobody who leaves while the lessons were learnt, and does today, puts all
    customers where a few had been: a weight learnt from these few would then move everybody.
    """
    lessons = np.vstack([one.features for one in parts])
    away = np.abs(now.mean(axis=0) - lessons.mean(axis=0))
    far = away > FAR * np.maximum(lessons.std(axis=0), SPREAD_MIN)
    named = (name for name, is_far in zip(NAMES, far, strict=True) if is_far and name != ANCHOR)
    return (*(LEFT_OUT_IN_SEASONS if seasonal else LEFT_OUT), *named)


def constant_layer(rate: float, learnt: str) -> RiskLayer:
    """A layer that states the same risk for everybody, 0 to 1, whatever they do."""
    safe = min(max(rate, RATE_MIN), 1.0 - RATE_MIN)
    intercept = _short(float(np.log(safe / (1.0 - safe))))
    return RiskLayer(segments=(RiskSegment(frequency_min=0, intercept=intercept, terms=()),), learnt=learnt)


def half_way(layer: RiskLayer) -> RiskLayer:
    """The layer whose log-odds are the mean of a layer's and of the purchase process's own."""
    process = Term(feature=PROCESS, weight=0.5)
    segments = tuple(
        RiskSegment(
            frequency_min=one.frequency_min,
            intercept=_short(0.5 * one.intercept),
            terms=(*(structs.replace(term, weight=_short(0.5 * term.weight)) for term in one.terms), process),
        )
        for one in layer.segments
    )
    return RiskLayer(segments=segments, learnt=layer.learnt)


def log_odds(layer: RiskLayer, features: Numbers) -> Numbers:
    """The layer's log-odds, shape (customers,), of features of shape (customers, features).

    Only for layers with a single segment, as `fit_risk_layer` makes them.
    """
    (segment,) = layer.segments
    total = np.full(len(features), segment.intercept)
    for term in segment.terms:
        values = np.clip(features[:, NAMES.index(term.feature)], *term.held)
        total += term.weight * (values - term.centre) / term.scale
    return total


def process_log_odds(features: Numbers) -> Numbers:
    """The purchase process's own log-odds of no purchase, shape (customers,), out of a feature matrix."""
    odds: Numbers = features[:, NAMES.index(PROCESS)]
    return odds


def churn_risks(model: Model, snapshot: Snapshot) -> Numbers:
    """The model's risk of every customer of a snapshot, 0 to 1, shape (customers,).

    Only features that it weighs are computed.
    """
    layers = model.risk.segments if model.risk else ()
    names = dict.fromkeys(term.feature for segment in layers for term in segment.terms)
    wanted = [BY_NAME[name] for name in (names if model.risk else (PROCESS,))]
    features = np.zeros((len(snapshot.features), len(NAMES)))
    features[:, [one.column for one in wanted]] = feature_matrix(model, snapshot, wanted)
    risks: Numbers = expit(log_odds(model.risk, features) if model.risk else process_log_odds(features))
    return risks


class LayerChoice(NamedTuple):
    """How a layer is fitted."""

    used: Flags
    """Which features, shape (features,)."""
    shrinkage: float
    newest: Numbers | None
    """As in `Learnt`, of every horizon of the newest day."""


def _chosen(rows: Numbers, training: TrainingSet, columns: Columns) -> LayerChoice:
    """The penalty and features with which what was known on the newest day best predicts what followed.

    Of penalties that are hardly worse than the best one, by its noise, the strongest is taken: a small shop
    needs it. The customer's own rhythm is used where it makes that better, by more than chance would. With
    the choice come the predicted risks, which no lesson after that day has seen.
    """
    plain = np.array([name != RHYTHM for name in columns[0]])
    past, new = training.only(training.known), training.only(training.newest)
    cases = [one.weight @ outcome for one in (past, new) for outcome in (one.silent, 1.0 - one.silent)]
    if min(cases) < CASES_MIN:
        return LayerChoice(plain, SHRINKAGE_UNTRIED, None)
    known = rows[training.known]
    held = np.clip(rows[training.newest], known.min(axis=0), known.max(axis=0))

    def predicted(used: Flags, shrinkage: float) -> Numbers:
        weights = _regress(known[:, used], past, _only(columns, used), shrinkage)
        z: Numbers = weights[0] + held[:, used] @ weights[1:]
        return z

    def loss(z: Numbers) -> Numbers:
        return new.weight * (np.logaddexp(0.0, z) - new.silent * z)

    tried = {shrinkage: predicted(plain, shrinkage) for shrinkage in SHRINKAGES}
    losses = {one: loss(z) for one, z in tried.items()}
    best = min(losses, key=lambda one: float(losses[one].sum()))
    chosen = max(one for one in losses if _not_worse(losses[one] - losses[best]))
    if not plain.all():
        everything = np.ones_like(plain)
        z = predicted(everything, chosen)
        if _tells(losses[chosen] - loss(z)):
            return LayerChoice(everything, chosen, expit(z))
    return LayerChoice(plain, chosen, expit(tried[best]))


def _tells(gains: Numbers) -> bool:
    """Whether the sum of these gains, shape (customers,), is above what chance would make it."""
    return float(gains.sum()) > RHYTHM_GAIN_MIN * float(np.sqrt(gains @ gains))


def _only(columns: Columns, used: Flags) -> Columns:
    """The columns where `used` is True."""
    names, scale = columns
    return [name for name, kept in zip(names, used, strict=True) if kept], scale[used]


def _not_worse(more: Numbers) -> bool:
    """Whether the mean of these losses, shape (customers,), is hardly above 0, by their noise."""
    return float(more.mean()) <= NOISE * float(more.std()) / float(np.sqrt(len(more)))


def _regress(rows: Numbers, training: TrainingSet, columns: Columns, shrinkage: float) -> Numbers:
    """Intercept and weights, shape (1 + features,), of standardised rows of shape (rows, features)."""
    names, scale = columns
    prior = np.array([scale[place] if name == ANCHOR else 0.0 for place, name in enumerate(names)])

    def objective(point: Numbers) -> tuple[float, Numbers]:
        z = point[0] + rows @ point[1:]
        away = point[1:] - prior
        loss = float(training.weight @ (np.logaddexp(0.0, z) - training.silent * z))
        loss += 0.5 * shrinkage * float(away @ away)
        slope = training.weight * (expit(z) - training.silent)
        return loss, np.concatenate([[slope.sum()], rows.T @ slope + shrinkage * away])

    bounds = {RISES: (0.0, None), FALLS: (None, 0.0), STANDS: (None, None)}
    limits = [(None, None), *(bounds[BY_NAME[name].silence if name in BY_NAME else STANDS] for name in names)]
    start = np.concatenate([[0.0], prior])
    options = {"maxiter": 2_000}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options=options)
    weights: Numbers = found.x
    return weights


def _short(value: float) -> float:
    """Eight significant digits: enough for a weight, and short in the record."""
    return float(f"{value:.8g}")
