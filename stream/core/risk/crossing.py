"""The first millisecond at which a score that only rises reaches a level: exact however it is rounded."""

from __future__ import annotations

import math
from collections.abc import Callable

from stream.core.units import DAY_MS
from stream.core.value.bracket import Bracket

Log = Callable[[int], float]
"""A score's log-odds as a function of the instant, while nothing happens."""


def first_crossing(log_odds: Log, goal: float, low: int, high: int, zero: int) -> int | None:
    """Within (low, high]; `low` where it is reached there already, None where `high` does not reach it.

    `zero` is where the silence began.
    """
    at_low = log_odds(low) - goal
    if at_low >= 0.0:
        return low
    if high <= low or (at_high := log_odds(high) - goal) < 0.0:
        return None
    return _first_at_least(log_odds, goal, (low, at_low), (high, at_high), zero)


def _first_at_least(
    log_odds: Log, goal: float, low: tuple[int, float], high: tuple[int, float], zero: int
) -> int:
    """Regula falsi in log time, where these scores are nearly straight, then steps that pinch the root.

    Both ends stay integers at which the score was evaluated, so that the answer is exact however it rounds.
    """
    ends: Bracket[int] = Bracket(low, high)
    low_log, high_log = _log_time(ends.low - zero), _log_time(ends.high - zero)
    pinch, tries = 1, 0
    while ends.high - ends.low > 1:
        tries += 1
        share = ends.at_low / (ends.at_low - ends.at_high) if tries % 16 else 0.5
        guess = zero - DAY_MS + round(math.exp(low_log + share * (high_log - low_log)))
        if guess - ends.low < pinch:
            guess, pinch = ends.low + pinch, pinch * 16
        elif ends.high - guess < pinch:
            guess, pinch = ends.high - pinch, pinch * 16
        guess = min(max(guess, ends.low + 1), ends.high - 1)
        if ends.narrow(guess, log_odds(guess) - goal):
            high_log = _log_time(guess - zero)
        else:
            low_log = _log_time(guess - zero)
    return ends.high


def _log_time(silent_ms: int) -> float:
    """A day is added, so that the beginning of the silence has a logarithm."""
    return math.log(silent_ms + DAY_MS)
