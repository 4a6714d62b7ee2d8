"""The first millisecond at which a score that only rises reaches a level: exact however it is rounded."""

from __future__ import annotations

import math
from collections.abc import Callable

from stream.core.units import DAY_MS

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
