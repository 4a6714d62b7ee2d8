"""The learnt layer of churn risk: a logistic regression on what was known earlier, labelled by what followed.

It learns only from before the split, at several earlier days over several horizons: recent days tell how
customers are now, longer horizons what a shorter one leaves out; so a short history is carried on to the real
horizon. Weights that would let silence lower the risk are not allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from stream.core.model.features import BY_NAME, FALLS, NAMES, RISES, STANDS
from stream.core.model.record import Model, RiskLayer, RiskSegment, Term
from stream.core.risk.churn import observe
from stream.core.units import DAY_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import History, Snapshot

LEFT_OUT = ("age", "churn_logit", "dead_logit")
"""Age tells time since the shop's first day in a young history, and extrapolates badly; so do log-odds that
grow without bound, for which the tempered ones stand."""
ANCHOR = "churn_tempered"
"""The purchase process's own odds, towards which the weights are pulled."""
LOOKS_BACK = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Inner days, and the horizons over which they are looked at, in inner horizons."""
HISTORY_MIN = 1.0 / 3.0
"""Share of the history that must lie before an inner snapshot."""
INNER_SHARE = 0.5
"""The inner horizon is at most this share of the history."""
SHRINKAGES = (2.0, 6.0, 20.0, 60.0, 200.0, 1_000.0)
"""Ridge penalties on standardised weights, towards the purchase process's own odds; the one is taken
with which what was over by the newest inner day foretells best what came after it."""
CASES_MIN = 30
"""Fewer customers who stayed, or who left, than this teach nothing."""
REACH = "reach"
"""How far a lesson's horizon fell short: a column of the lessons only, 0 where the layer is used."""

Columns = tuple[list[str], Numbers]
"""Names and scales of the features."""


@dataclass(frozen=True)
class Lesson:
    """One inner snapshot: observed features and who then stayed silent."""

    observed: Numbers
    silent: Flags
    reach: Numbers
    """Logarithm of the horizon looked at over the real one, at most 0."""
    span_ms: tuple[int, int]
    """The day, and the end of the horizon looked at."""
    weight: float = 1.0
    """Several horizons of one day count as one look."""


@dataclass(frozen=True)
class Taught:
    """What became of each row of all lessons, what it counts, and whether it was known by the newest day."""

    silent: Numbers
    weight: Numbers
    known: Flags
    newest: Flags

    def only(self, keep: Flags) -> Taught:
        """Some of the rows."""
        return Taught(self.silent[keep], self.weight[keep], self.known[keep], self.newest[keep])


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


def inner_horizons(day_ms: int, split_ms: int, inner_ms: int, horizon_ms: int) -> list[int]:
    """Over which horizons an inner day is looked at: all that end by the split, the longest last."""
    longest_ms = min(split_ms - day_ms, horizon_ms)
    wanted = [int(share * inner_ms) // DAY_MS * DAY_MS for share in LOOKS_BACK]
    return [one for one in wanted if DAY_MS <= one <= longest_ms]


def lesson(
    model: Model, snapshot: Snapshot, history: History, horizons_ms: tuple[Numbers, Numbers], weight: float
) -> Lesson:
    """What an inner snapshot teaches; `horizons_ms` are those looked at and the real ones, per customer."""
    looked, real = horizons_ms
    day_ms = snapshot.as_of_ms
    span_ms = (day_ms, day_ms + int(looked.max(initial=0)))
    silent = history.silent(snapshot, looked)
    return Lesson(observed(model, snapshot), silent, np.log(looked / real), span_ms, weight)


def learnable(lessons: Sequence[Lesson]) -> bool:
    """Enough customers of both fates."""
    silent = sum(one.weight * int(one.silent.sum()) for one in lessons)
    stayed = sum(one.weight * int((~one.silent).sum()) for one in lessons)
    return min(silent, stayed) >= CASES_MIN


def learn(lessons: Sequence[Lesson], learnt: str) -> RiskLayer:
    """The layer that explains the lessons best, shrunk towards the purchase process's own odds."""
    seen = np.vstack([np.column_stack([one.observed, one.reach]) for one in lessons])
    taught = _joined(lessons)
    spread = seen.std(axis=0)
    columns = (*NAMES, REACH)
    chosen = [at for at, name in enumerate(columns) if spread[at] > 1e-9 and name not in LEFT_OUT]
    names = [columns[place] for place in chosen]
    centre, scale = seen[:, chosen].mean(axis=0), spread[chosen]
    rows = (seen[:, chosen] - centre) / scale
    shrinkage = _best_shrinkage(rows, taught, (names, scale))
    weights = _regress(rows, taught, (names, scale), shrinkage)
    intercept, terms = weights[0], []
    for name, weight, middle, unit in zip(names, weights[1:], centre, scale, strict=True):
        if name == REACH:
            intercept -= weight * middle / unit  # over the real horizon it is 0
        elif abs(weight) > 1e-6:
            terms.append(Term(feature=name, weight=_short(weight), centre=_short(middle), scale=_short(unit)))
    segment = RiskSegment(frequency_min=0, intercept=_short(intercept), terms=tuple(terms))
    return RiskLayer(segments=(segment,), learnt=learnt)


def log_odds(layer: RiskLayer, features: Numbers) -> Numbers:
    """The layer's log-odds of observed rows; one segment only, as learnt here."""
    (segment,) = layer.segments
    total = np.full(len(features), segment.intercept)
    for term in segment.terms:
        total += term.weight * (features[:, NAMES.index(term.feature)] - term.centre) / term.scale
    return total


def _joined(lessons: Sequence[Lesson]) -> Taught:
    newest_ms = max(one.span_ms[0] for one in lessons)

    def each(value: Callable[[Lesson], float]) -> Numbers:
        return np.concatenate([np.full(len(one.silent), float(value(one))) for one in lessons])

    return Taught(
        np.concatenate([one.silent for one in lessons]).astype(np.float64),
        each(lambda one: one.weight),
        each(lambda one: one.span_ms[1] <= newest_ms) > 0.0,
        each(lambda one: one.span_ms[0] == newest_ms) > 0.0,
    )


def _best_shrinkage(rows: Numbers, taught: Taught, columns: Columns) -> float:
    """With which the past foretells the newest look; a strong one where there is too little of either."""
    past, new = taught.only(taught.known), taught.only(taught.newest)
    cases = [one.weight @ fate for one in (past, new) for fate in (one.silent, 1.0 - one.silent)]
    if min(cases) < CASES_MIN:
        return SHRINKAGES[-2]

    def loss(shrinkage: float) -> float:
        weights = _regress(rows[taught.known], past, columns, shrinkage)
        z = weights[0] + rows[taught.newest] @ weights[1:]
        return float(new.weight @ (np.logaddexp(0.0, z) - new.silent * z))

    return min(SHRINKAGES, key=loss)


def _regress(rows: Numbers, taught: Taught, columns: Columns, shrinkage: float) -> Numbers:
    """Intercept and weights; the penalty pulls towards weight 1 on the process's log-odds, 0 on the rest."""
    names, scale = columns
    prior = np.array([scale[place] if name == ANCHOR else 0.0 for place, name in enumerate(names)])

    def objective(point: Numbers) -> tuple[float, Numbers]:
        z = point[0] + rows @ point[1:]
        away = point[1:] - prior
        loss = float(taught.weight @ (np.logaddexp(0.0, z) - taught.silent * z))
        loss += 0.5 * shrinkage * float(away @ away)
        slope = taught.weight * (expit(z) - taught.silent)
        return loss, np.concatenate([[slope.sum()], rows.T @ slope + shrinkage * away])

    bounds = {RISES: (0.0, None), FALLS: (None, 0.0), STANDS: (None, None)}
    limits = [(None, None), *(bounds[BY_NAME[name].silence if name in BY_NAME else STANDS] for name in names)]
    start = np.concatenate([[0.0], prior])
    options = {"maxiter": 2_000}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options=options)
    weights: Numbers = found.x
    return weights


def _short(value: float) -> float:
    return float(f"{value:.8g}")
