"""The risks at which alerts are raised and cleared, learnt from history: the right level differs between
shops.

In a stream an alert is sent when a rising risk reaches the threshold. So its precision is that of customers
at the threshold, not the higher one of all customers above it (decision 0006).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import structs
from scipy.optimize import isotonic_regression
from scipy.stats import beta

from stream.core.model.record import Thresholds
from stream.fit.arrays import Counts, Flags, Numbers

ALERTS_MIN = 20
"""With fewer alerts than this their precision is not estimated."""
CLEAR_GAP = 0.75
"""Log-odds between raising and clearing: the odds must fall by half (exp(-0.75) = 0.47) to clear."""
NEAR = 0.05
"""Customers whose risk is no further than this from the level show what alerts at it are worth."""
NEVER = 1.0 - 1e-9
"""A risk above the largest that is the same for everybody (RATE_MIN of risk_layer.py)."""
RAISE_MAX, RAISE_MIN = 0.98, 0.02
"""Bounds of a learnt threshold: outside them nearly nobody, or everybody, would be alerted."""


class PastWindow(NamedTuple):
    """The repeat buyers of one earlier day, and whether they bought nothing in the horizon after it."""

    risk: Numbers
    """Shape (customers,), 0 to 1."""
    silent: Numbers
    """The outcome, 0 or 1, or its probability where the history is too short to contain the outcome."""
    seen: bool = True
    """Whether it is the outcome."""


def never_alerted(why: str) -> Thresholds:
    """Thresholds that nobody reaches, for a risk that is the same for everybody."""
    return Thresholds(raise_at=NEVER, clear_at=NEVER, learnt=f"{why} So nobody is alerted about it.")


def learn_thresholds(
    windows: Sequence[PastWindow], *, precision: float | None = None, budget_share: float | None = None
) -> Thresholds:
    """Thresholds for a budget (share of customers alerted), a wanted precision, or else the best agreement.

    Of all windows together, so that one unusual season alone promises nothing. A precision that no level
    reached gives the surest level, and never one below the wish itself.
    """
    risk = np.concatenate([one.risk for one in windows])
    silent = np.concatenate([one.silent for one in windows])
    order = np.argsort(-risk, kind="stable")
    score, right = risk[order], silent[order]
    alerts = np.arange(1, len(score) + 1)
    hits, sure = np.cumsum(right), _at_threshold(score, right)
    closes = np.append(score[1:] < score[:-1], True)  # customers of one score are alerted together
    usable = closes & (alerts >= min(ALERTS_MIN, len(score)))
    least = RAISE_MIN
    if budget_share is not None:
        allowed = usable & (alerts <= max(ALERTS_MIN, budget_share * len(score)))
        place = int(np.flatnonzero(allowed)[-1]) if allowed.any() else int(np.flatnonzero(usable)[0])
        basis = f"at most {budget_share:.1%} of customers alerted"
    elif precision is not None:
        reached = usable & (sure >= precision)
        basis = f"a precision of {precision:.0%} when alerts are sent"
        if reached.any():
            place = int(np.flatnonzero(reached)[-1])
        else:
            place = int(np.flatnonzero(usable)[np.argmax(sure[usable])])
            least = min(precision, RAISE_MAX)
            basis += f", which no level reached: reachable are about {sure[place]:.0%}, at the surest level"
    else:
        place = _best_agreement(hits, alerts, usable)
        basis = "the best agreement of alerts and outcomes (Matthews correlation)"
    words = f"Learnt for {basis}. {_shares(windows, score, right, place)}"
    raise_at = float(np.clip(score[place], least, RAISE_MAX))
    return structs.replace(level_thresholds(raise_at, words), promised=round(float(sure[place]), 4))


def level_thresholds(raise_at: float, learnt: str) -> Thresholds:
    """Thresholds that raise at a risk, 0 to 1; `learnt` says in words how it was chosen."""
    odds = np.log(raise_at / (1.0 - raise_at)) - CLEAR_GAP
    return Thresholds(
        raise_at=float(f"{raise_at:.6g}"), clear_at=float(f"{1.0 / (1.0 + np.exp(-odds)):.6g}"), learnt=learnt
    )


def _shares(windows: Sequence[PastWindow], score: Numbers, right: Numbers, place: int) -> str:
    """What followed above the level, and near it, in words; arrays as in `learn_thresholds`.

    The windows overlap in time and have the same customers: for the interval they count as one.
    """
    near = np.abs(score - score[place]) <= NEAR
    cases = float(near.sum()) / len(windows)
    low, high = _interval_90(float(right[near].mean()) * cases, cases)
    of_windows = f" in {len(windows)} windows" if len(windows) > 1 else ""
    seen = "" if windows[0].seen else " By the risks themselves: the history is too short to have seen it."
    return (
        f"Of {place + 1:,} repeat buyers above this risk{of_windows}, {right[: place + 1].mean():.0%} bought "
        f"nothing; of those near it, where alerts are sent, {right[near].mean():.0%} ({low:.0%} to "
        f"{high:.0%}).{seen}"
    )


def _interval_90(hits: float, cases: float) -> tuple[float, float]:
    """90% interval (Jeffreys) of a share."""
    low, high = beta.ppf([0.05, 0.95], hits + 0.5, cases - hits + 0.5)
    return float(low), float(high)


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
