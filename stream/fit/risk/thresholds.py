"""When to raise and when to clear, learnt: never 0.5 by habit, for the right level differs between shops.

In a stream an alert goes out when a rising risk comes to the threshold, so its precision is that of customers
at the threshold, not the higher mean of all above it.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression

from stream.core.model.record import Thresholds
from stream.fit.arrays import Counts, Flags, Numbers

ALERTS_MIN = 20
"""Fewer alerts than this say nothing of their precision."""
CLEAR_GAP = 0.75
"""In log-odds, between raising and clearing: a score must fall by half its odds to clear."""
RAISE_MAX, RAISE_MIN = 0.98, 0.02


def learn_thresholds(
    risk: Numbers, silent: Numbers, *, precision: float | None = None, budget_share: float | None = None
) -> Thresholds:
    """For a wanted precision, or a budget (share of customers alerted), or else where both agree best.

    `silent` is what happened, 0 or 1, or how probable it is where the history is too short to have seen it.
    """
    order = np.argsort(-risk, kind="stable")
    score, right = risk[order], silent[order]
    alerts = np.arange(1, len(score) + 1)
    hits, sure = np.cumsum(right), _at_threshold(score, right)
    closes = np.append(score[1:] < score[:-1], True)  # customers of one score are alerted together
    usable = closes & (alerts >= min(ALERTS_MIN, len(score)))
    if budget_share is not None:
        allowed = usable & (alerts <= max(ALERTS_MIN, budget_share * len(score)))
        place = int(np.flatnonzero(allowed)[-1]) if allowed.any() else int(np.flatnonzero(usable)[0])
        basis = f"at most {budget_share:.1%} of customers alerted"
    elif precision is not None:
        reached = usable & (sure >= precision)
        place = int(np.flatnonzero(reached)[-1]) if reached.any() else _best_agreement(hits, alerts, usable)
        basis = f"a precision of {precision:.0%} of alerts as they go out" + (
            ""
            if reached.any()
            else f", which no level reached (the surest came to {sure[usable].max():.0%}): the best "
            "agreement of alerts and truth instead"
        )
    else:
        place = _best_agreement(hits, alerts, usable)
        basis = "the best agreement of alerts and truth (Matthews correlation)"
    raise_at = float(np.clip(score[place], RAISE_MIN, RAISE_MAX))
    odds = np.log(raise_at / (1.0 - raise_at)) - CLEAR_GAP
    seen = (
        f"of {alerts[place]:,} repeat buyers above it {hits[place] / alerts[place]:.0%} stayed silent, of "
        f"those just at it, where alerts go out, about {sure[place]:.0%}"
    )
    return Thresholds(
        raise_at=float(f"{raise_at:.6g}"),
        clear_at=float(f"{1.0 / (1.0 + np.exp(-odds)):.6g}"),
        learnt=f"Learnt for {basis}; {seen}.",
    )


def _at_threshold(score: Numbers, right: Numbers) -> Numbers:
    """How probably right an alert is at each score: what was seen, made to rise with the score.

    `score` falls along the array; customers of one score share one place.
    """
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    shares = np.bincount(places, right) / counts
    risen: Numbers = isotonic_regression(shares, weights=counts).x
    return risen[places]


def _best_agreement(hits: Numbers, alerts: Counts, usable: Flags) -> int:
    """Matthews' correlation of alert and truth: unlike F1 it sees no merit in alerting everybody."""
    total = len(hits)
    churned = hits[-1]
    stayed = total - churned
    spread = np.sqrt(np.maximum(churned * stayed, 1e-12) * alerts * np.maximum(total - alerts, 1e-12))
    agreement = (hits * stayed - (alerts - hits) * churned) / spread
    return int(np.argmax(np.where(usable & (alerts < total), agreement, -2.0)))
