"""The learnt layer of churn risk: a logistic regression on what was known earlier, labelled by what followed.

It learns only from before the split: snapshots one horizon and more earlier, or, where the history is too
short for that, with a shorter horizon. Weights that would let silence lower the risk are not allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from stream.core.feature_names import FALLS, NAMES, RISES, SILENCE
from stream.core.features import observe
from stream.core.model import DAY_MS, Model, RiskLayer, RiskSegment, Term
from stream.fit.history import History, Snapshot

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEFT_OUT = ("age",)
"""Age tells time since the shop's first day in a young history, and extrapolates badly."""
LOOKS_BACK = (1.0, 1.25, 1.5)
"""Inner snapshots, in inner horizons before the split: several look at customers of more ages."""
HISTORY_MIN = 1.0 / 3.0
"""Share of the history that must lie before an inner snapshot."""
INNER_SHARE = 0.5
"""The inner horizon is at most this share of the history."""
SHRINKAGES = (2.0, 6.0, 20.0, 60.0)
"""Ridge penalties on standardised weights, towards the purchase process's own odds: the best is found by
leaving out a third of the customers at a time."""
FOLDS = 3
PLENTY = 20_000
"""With more rows than this the penalty makes no difference, and the second of them is taken."""
CASES_MIN = 30
"""Fewer customers who stayed, or who left, than this teach nothing."""


@dataclass(frozen=True)
class Lesson:
    """One inner snapshot: observed features and who then stayed silent."""

    observed: Numbers
    silent: Flags
    folds: NDArray[np.int64]
    """Which third each customer belongs to: the same in every lesson."""


def inner_days(first_ms: int, split_ms: int, horizon_ms: int) -> tuple[int, tuple[int, ...]]:
    """The inner horizon and the days of the inner snapshots; none when history is too short to learn from."""
    span_ms = split_ms - first_ms
    inner_ms = min(horizon_ms, int(span_ms * INNER_SHARE)) // DAY_MS * DAY_MS
    if inner_ms < 7 * DAY_MS:
        return inner_ms, ()
    days = [int(split_ms - share * inner_ms) // DAY_MS * DAY_MS for share in LOOKS_BACK]
    return inner_ms, tuple(day for day in days if day - first_ms >= span_ms * HISTORY_MIN)


def observed(model: Model, snapshot: Snapshot) -> Numbers:
    """Every feature of every customer, columns in the order of NAMES."""
    rows = [observe(model, features, snapshot.as_of_ms) for features in snapshot.features]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(NAMES))


def lesson(model: Model, snapshot: Snapshot, history: History, horizon_ms: int | Numbers) -> Lesson:
    """What an inner snapshot teaches."""
    folds = np.array([crc32(customer.encode()) % FOLDS for customer in snapshot.customers], dtype=np.int64)
    return Lesson(observed(model, snapshot), history.silent(snapshot, horizon_ms), folds)


def learnable(lessons: Sequence[Lesson]) -> bool:
    """Enough customers of both fates."""
    silent = sum(int(one.silent.sum()) for one in lessons)
    stayed = sum(int((~one.silent).sum()) for one in lessons)
    return min(silent, stayed) >= CASES_MIN


def learn(lessons: Sequence[Lesson], learnt: str) -> RiskLayer:
    """The layer that explains the lessons best, shrunk towards the purchase process's own odds."""
    features = np.vstack([one.observed for one in lessons])
    silent = np.concatenate([one.silent for one in lessons]).astype(np.float64)
    spread = features.std(axis=0)
    chosen = [place for place, name in enumerate(NAMES) if spread[place] > 1e-9 and name not in LEFT_OUT]
    names = [NAMES[place] for place in chosen]
    centre, scale = features[:, chosen].mean(axis=0), spread[chosen]
    rows = (features[:, chosen] - centre) / scale
    shrinkage = _best_shrinkage(rows, silent, np.concatenate([one.folds for one in lessons]), (names, scale))
    weights = _regress(rows, silent, (names, scale), shrinkage)
    terms = tuple(
        Term(feature=name, weight=_short(weight), centre=_short(middle), scale=_short(unit))
        for name, weight, middle, unit in zip(names, weights[1:], centre, scale, strict=True)
        if abs(weight) > 1e-6
    )
    segment = RiskSegment(frequency_min=0, intercept=_short(weights[0]), terms=terms)
    return RiskLayer(segments=(segment,), learnt=learnt)


def shifted(layer: RiskLayer, by: float) -> RiskLayer:
    """The layer with its intercept moved."""
    segments = tuple(
        RiskSegment(
            frequency_min=segment.frequency_min, intercept=_short(segment.intercept + by), terms=segment.terms
        )
        for segment in layer.segments
    )
    return RiskLayer(segments=segments, learnt=layer.learnt)


def shift_to_mean(log_odds: Numbers, mean: float) -> float:
    """How far log-odds must move for their probabilities to have this mean."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if float(expit(log_odds + middle).mean()) < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def log_odds(layer: RiskLayer, features: Numbers) -> Numbers:
    """The layer's log-odds of observed rows; one segment only, as learnt here."""
    (segment,) = layer.segments
    total = np.full(len(features), segment.intercept)
    for term in segment.terms:
        total += term.weight * (features[:, NAMES.index(term.feature)] - term.centre) / term.scale
    return total


Columns = tuple[list[str], Numbers]
"""Names and scales of the features."""


def _best_shrinkage(rows: Numbers, silent: Numbers, folds: NDArray[np.int64], columns: Columns) -> float:
    """The penalty that foretells customers best that it has not seen, at any of their days."""
    if len(rows) > PLENTY:
        return SHRINKAGES[1]

    def loss(shrinkage: float) -> float:
        total = 0.0
        for fold in range(FOLDS):
            out = folds == fold
            weights = _regress(rows[~out], silent[~out], columns, shrinkage)
            z = weights[0] + rows[out] @ weights[1:]
            total += float(np.sum(np.logaddexp(0.0, z) - silent[out] * z))
        return total

    return min(SHRINKAGES, key=loss)


def _regress(rows: Numbers, silent: Numbers, columns: Columns, shrinkage: float) -> Numbers:
    """Intercept and weights; the penalty pulls towards weight 1 on the process's log-odds, 0 on the rest."""
    names, scale = columns
    prior = np.array([scale[place] if name == "churn_logit" else 0.0 for place, name in enumerate(names)])

    def objective(point: Numbers) -> tuple[float, Numbers]:
        z = point[0] + rows @ point[1:]
        away = point[1:] - prior
        loss = float(np.sum(np.logaddexp(0.0, z) - silent * z)) + 0.5 * shrinkage * float(away @ away)
        slope = expit(z) - silent
        return loss, np.concatenate([[slope.sum()], rows.T @ slope + shrinkage * away])

    bounds = {RISES: (0.0, None), FALLS: (None, 0.0)}
    limits = [(None, None), *(bounds.get(SILENCE[name], (None, None)) for name in names)]
    start = np.concatenate([[0.0], prior])
    options = {"maxiter": 2_000}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options=options)
    weights: Numbers = found.x
    return weights


def _short(value: float) -> float:
    return float(f"{value:.8g}")
