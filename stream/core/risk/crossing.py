"""The first millisecond at which log-odds that only rise reach a level, exact despite rounding."""

from __future__ import annotations

import math
from collections.abc import Callable

from stream.core.units import DAY_MS
from stream.core.value.bracket import Bracket

LogOdds = Callable[[int], float]
"""Log-odds at an instant, in milliseconds, as long as nothing happens."""
BISECT_EVERY = 16
"""Every so many steps the bracket is halved in log time, in case regula falsi is slow."""
PINCH_GROWTH = 16
"""Factor by which the smallest step grows when guesses come close to one end of the bracket."""
ESTIMATE_SHARE = 0.8
"""Share of the estimated way to the crossing (in log time) after which a customer is reviewed again. Few are
still silent by then; above 0.8 the estimate overshoots the crossing too often."""


def estimated_ms(low: tuple[int, float], high: tuple[int, float], goal: float, since_ms: int) -> int:
    """Most of the way to a goal between two points of a curve, as if it were straight in log time.

    `low` and `high`: an instant and the log-odds then. The silence began at `since_ms`.
    """
    (low_ms, at_low), (high_ms, at_high) = low, high
    low_log, high_log = math.log(low_ms - since_ms + DAY_MS), math.log(high_ms - since_ms + DAY_MS)
    share = ESTIMATE_SHARE * (goal - at_low) / (at_high - at_low)
    return since_ms - DAY_MS + int(math.exp(low_log + share * (high_log - low_log)))


def first_crossing(
    log_odds: LogOdds, goal: float, low_ms: int, high_ms: int, since_ms: int, *, guess_ms: int = 0
) -> int | None:
    """The first instant after `low_ms`, up to `high_ms`, at which the log-odds are at least `goal`.

    `low_ms` if they are by then, None if they are not even at `high_ms`. The silence began at `since_ms`.
    `guess_ms`: what it may be; where it is, two evaluations show it.
    """
    if low_ms < guess_ms <= high_ms and log_odds(guess_ms - 1) < goal <= log_odds(guess_ms):
        return guess_ms
    at_low = log_odds(low_ms) - goal
    if at_low >= 0.0:
        return low_ms
    if high_ms <= low_ms or (at_high := log_odds(high_ms) - goal) < 0.0:
        return None
    return _first_at_least(log_odds, goal, Bracket((low_ms, at_low), (high_ms, at_high)), since_ms)


def _first_at_least(log_odds: LogOdds, goal: float, ends: Bracket[int], since_ms: int) -> int:
    """Regula falsi in log time, where these log-odds are nearly straight.

    Both ends are instants at which the log-odds were evaluated, and the search stops when they are one
    millisecond apart: so rounding does not matter. Near the end it takes small steps from one side instead of
    guesses that fall onto an end.
    """
    start_ms = since_ms - DAY_MS  # a day earlier, so that the beginning of the silence has a logarithm
    low_log, high_log = math.log(ends.low - start_ms), math.log(ends.high - start_ms)
    pinch, tries = 1, 0
    while ends.high - ends.low > 1:
        tries += 1
        share = ends.at_low / (ends.at_low - ends.at_high) if tries % BISECT_EVERY else 0.5
        guess = start_ms + round(math.exp(low_log + share * (high_log - low_log)))
        if guess - ends.low < pinch:
            guess, pinch = ends.low + pinch, pinch * PINCH_GROWTH
        elif ends.high - guess < pinch:
            guess, pinch = ends.high - pinch, pinch * PINCH_GROWTH
        guess = min(max(guess, ends.low + 1), ends.high - 1)
        if ends.narrow(guess, log_odds(guess) - goal):
            high_log = math.log(guess - start_ms)
        else:
            low_log = math.log(guess - start_ms)
    return ends.high
