"""When to raise and when to clear, learnt: never 0.5 by habit, for the right level differs from shop to shop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.core.model import Thresholds

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALERTS_MIN = 20
"""Fewer alerts than this say nothing of their precision."""
CLEAR_GAP = 0.75
"""In log-odds, between raising and clearing: a score must fall by half its odds to clear."""
RAISE_MAX, RAISE_MIN = 0.98, 0.02


def learn_thresholds(
    risk: Numbers, silent: Flags, *, precision: float | None = None, budget_share: float | None = None
) -> Thresholds:
    """For a wanted precision, or a budget (the share of customers that may be alerted), or else the best F1.

    F1 weighs alerts that were right against churners that were missed.
    """
    order = np.argsort(-risk, kind="stable")
    score, right = risk[order], silent[order].astype(np.float64)
    alerts = np.arange(1, len(score) + 1)
    hits = np.cumsum(right)
    closes = np.append(score[1:] < score[:-1], True)  # customers of one score are alerted together
    usable = closes & (alerts >= min(ALERTS_MIN, len(score)))
    if budget_share is not None:
        allowed = usable & (alerts <= max(ALERTS_MIN, budget_share * len(score)))
        place = int(np.flatnonzero(allowed)[-1]) if allowed.any() else int(np.flatnonzero(usable)[0])
        basis = f"at most {budget_share:.1%} of customers alerted"
    elif precision is not None:
        reached = usable & (hits / alerts >= precision)
        place = int(np.flatnonzero(reached)[-1]) if reached.any() else _best_f1(hits, alerts, usable)
        basis = f"a precision of {precision:.0%}" + ("" if reached.any() else " was not reached; best F1 instead")
    else:
        place = _best_f1(hits, alerts, usable)
        basis = "the best balance of right alerts and missed customers (F1)"
    raise_at = float(np.clip(score[place], RAISE_MIN, RAISE_MAX))
    odds = np.log(raise_at / (1.0 - raise_at)) - CLEAR_GAP
    seen = f"on the inner split {hits[place] / alerts[place]:.0%} of {alerts[place]} alerts were right"
    return Thresholds(
        raise_at=float(f"{raise_at:.6g}"),
        clear_at=float(f"{1.0 / (1.0 + np.exp(-odds)):.6g}"),
        learnt=f"Learnt for {basis}; {seen}.",
    )


def _best_f1(hits: Numbers, alerts: NDArray[np.int64], usable: Flags) -> int:
    f1 = np.where(usable, 2.0 * hits / (alerts + hits[-1]), -1.0)
    return int(np.argmax(f1))
