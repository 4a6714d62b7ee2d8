"""How good a score is once outcomes are known: ranking, calibration, and simple baseline scores.

Arrays have shape (customers,); `churned` is True for customers who bought nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from stream.fit.arrays import Flags, Numbers

BINS = 10
"""Groups of customers by score: tenths."""
RESAMPLES = 200
SEED = 1_997
"""Fixed seed of random halves and bootstrap samples, so that the same history gives the same numbers."""
PROBABILITY_MIN = 1e-12
"""Probabilities are kept this far from 0 and 1 in the log loss, which would be infinite there."""


@dataclass(frozen=True)
class Quality:
    """How well predicted churn probabilities fit what happened.

    `ece` is the expected calibration error. `lift10` is the churn rate of the tenth with the highest
    prediction over the rate of all. `auc` is None without both outcomes, `lift10` when nobody churned.
    """

    auc: float | None
    brier: float
    log_loss: float
    ece: float
    lift10: float | None


def quality(risk: Numbers, churned: Flags) -> Quality:
    """Compare predicted probabilities with outcomes."""
    truth = churned.astype(np.float64)
    safe = np.clip(risk, PROBABILITY_MIN, 1.0 - PROBABILITY_MIN)
    return Quality(
        auc=auc(risk, churned),
        brier=float(np.mean((risk - truth) ** 2)),
        log_loss=-float(np.mean(truth * np.log(safe) + (1.0 - truth) * np.log1p(-safe))),
        ece=calibration_error(risk, churned),
        lift10=lift(risk, churned),
    )


def auc(score: Numbers, churned: Flags) -> float | None:
    """The probability that a churned customer outscores one who stayed; None without one of both."""
    positive = int(churned.sum())
    negative = len(churned) - positive
    if not positive or not negative:
        return None
    ranks = rankdata(score)
    return float((ranks[churned].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def calibration(risk: Numbers, churned: Flags) -> list[tuple[float, float, int]]:
    """Tenths of customers by risk: mean predicted risk, share that churned, number of customers."""
    order = np.argsort(risk, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [(float(risk[part].mean()), float(churned[part].mean()), len(part)) for part in parts]


def calibration_error(risk: Numbers, churned: Flags) -> float:
    """Mean distance between predicted risk and share that churned, over tenths of customers."""
    parts = calibration(risk, churned)
    return sum(abs(predicted - actual) * count for predicted, actual, count in parts) / len(risk)


def lift(score: Numbers, churned: Flags, share: float = 0.1) -> float | None:
    """Churn rate of the highest-scored `share` over that of all; ties at the edge count in part."""
    rate = float(churned.mean())
    if not rate:
        return None
    wanted = share * len(score)
    edge = np.sort(score)[::-1][max(0, int(np.ceil(wanted)) - 1)]
    above, level = score > edge, score == edge
    taken = float(churned[above].sum())
    taken += float(churned[level].mean()) * (wanted - above.sum()) if level.any() else 0.0
    return taken / wanted / rate


def binned_brier(score: Numbers, churned: Flags) -> float:
    """Brier score of a simple score turned into probabilities: the churn rates of its tenths.

    Each random half of the customers gets the rates of the other half. They come from the outcomes
    themselves, which no forecast knows: so this is the best that the score can do.
    """
    halves = np.random.default_rng(SEED).permutation(len(score)) % 2 == 0
    edges = np.unique(np.quantile(score, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    places = np.searchsorted(edges, score, side="right")
    predicted = np.full(len(score), float(churned.mean()))
    for half in (halves, ~halves):
        for place in np.unique(places):
            others = ~half & (places == place)
            if others.any():
                predicted[half & (places == place)] = float(churned[others].mean())
    return float(np.mean((predicted - churned) ** 2))


def bootstrap(risk: Numbers, rival: Numbers, churned: Flags) -> dict[str, list[float] | None]:
    """90% bootstrap intervals over customers: AUC, Brier score, and the AUC minus that of a rival score."""
    random = np.random.default_rng(SEED)
    drawn: dict[str, list[float]] = {"auc": [], "brier": [], "auc_gain": []}
    for _ in range(RESAMPLES):
        sample = random.integers(0, len(risk), len(risk))
        ours, theirs = auc(risk[sample], churned[sample]), auc(rival[sample], churned[sample])
        if ours is not None and theirs is not None:
            drawn["auc"].append(ours)
            drawn["auc_gain"].append(ours - theirs)
        drawn["brier"].append(float(np.mean((risk[sample] - churned[sample]) ** 2)))
    return {
        name: [float(bound) for bound in np.quantile(values, [0.05, 0.95])] if values else None
        for name, values in drawn.items()
    }


def share_ranks(values: Numbers) -> Numbers:
    """Percentile ranks, 0 to 1; ties get the mean of their ranks."""
    ranks: Numbers = rankdata(values) / max(1, len(values))
    return ranks


def baselines(inactive_days: Numbers, frequency: Numbers, total_minor: Numbers) -> dict[str, Numbers]:
    """Simple scores, high for churn: days since the last purchase, few purchases, little money in all (minor
    units), sum of RFM ranks."""
    rfm = share_ranks(inactive_days) - share_ranks(frequency) - share_ranks(total_minor)
    return {"recency": inactive_days, "frequency": -frequency, "monetary": -total_minor, "rfm": rfm}
