"""The risks at which alerts are raised and cleared, learnt from history: the right level differs between
shops.

In a stream an alert is sent when a rising risk reaches the threshold. So its precision is that of customers
at the threshold, not the higher one of all customers above it (decision 0006).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression

from stream.core.model.record import Thresholds
from stream.fit.arrays import Counts, Flags, Numbers

ALERTS_MIN = 20
"""With fewer alerts than this their precision is not estimated."""
CLEAR_GAP = 0.75
"""Log-odds between raising and clearing: the odds must fall by half (exp(-0.75) = 0.47) to clear."""
NEVER = 1.0 - 1e-9
"""A risk above the largest that is the same for everybody (RATE_MIN of risk_layer.py)."""
RAISE_MAX, RAISE_MIN = 0.98, 0.02
"""Bounds of a learnt threshold: outside them nearly nobody, or everybody, would be alerted."""


def never_alerted(why: str) -> Thresholds:
    """Thresholds that nobody reaches, for a risk that is the same for everybody."""
    return Thresholds(raise_at=NEVER, clear_at=NEVER, learnt=f"{why} So nobody is alerted about it.")


def learn_thresholds(
    risk: Numbers, silent: Numbers, *, precision: float | None = None, budget_share: float | None = None
) -> Thresholds:
    """Thresholds for a budget (share of customers alerted), a wanted precision, or else the best agreement.

    `risk` and `silent` have shape (customers,). `silent` is the outcome, 0 or 1, or its probability where the
    history is too short to contain the outcome.
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
        basis = f"a precision of {precision:.0%} when alerts are sent" + (
            ""
            if reached.any()
            else f", which no level reached (the best reached {sure[usable].max():.0%}); the best "
            "agreement of alerts and outcomes was taken instead"
        )
    else:
        place = _best_agreement(hits, alerts, usable)
        basis = "the best agreement of alerts and outcomes (Matthews correlation)"
    raise_at = float(np.clip(score[place], RAISE_MIN, RAISE_MAX))
    odds = np.log(raise_at / (1.0 - raise_at)) - CLEAR_GAP
    shares = (
        f"Of {alerts[place]:,} repeat buyers above this risk, {hits[place] / alerts[place]:.0%} bought "
        f"nothing; of those just at it, where alerts are sent, about {sure[place]:.0%}"
    )
    return Thresholds(
        raise_at=float(f"{raise_at:.6g}"),
        clear_at=float(f"{1.0 / (1.0 + np.exp(-odds)):.6g}"),
        learnt=f"Learnt for {basis}. {shares}.",
    )


def _at_threshold(score: Numbers, right: Numbers) -> Numbers:
    """The probability that an alert at each score is right: outcomes smoothed to rise with the score.

    Isotonic regression; all arrays have shape (customers,), `score` in falling order.
    """
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    shares = np.bincount(places, right) / counts
    risen: Numbers = isotonic_regression(shares, weights=counts).x
    return risen[places]


def _best_agreement(hits: Numbers, alerts: Counts, usable: Flags) -> int:
    """Index of the threshold with the highest Matthews correlation of alert and outcome.

    Unlike F1, this correlation does not reward alerting everybody.
    """
    total = len(hits)
    churned = hits[-1]
    stayed = total - churned
    spread = np.sqrt(np.maximum(churned * stayed, 1e-12) * alerts * np.maximum(total - alerts, 1e-12))
    agreement = (hits * stayed - (alerts - hits) * churned) / spread
    return int(np.argmax(np.where(usable & (alerts < total), agreement, -2.0)))
