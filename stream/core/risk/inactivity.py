"""What silence does to the chance of another purchase, by the purchase process alone.

Of the customer it depends on two numbers: repeat purchase days, and the span from the first day to the last.
So the results are computed once and remembered for all customers with the same two numbers.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from stream.core.model.record import Model, PurchaseProcess
from stream.core.units import FOREVER_MS
from stream.core.value.clv import EXP_MAX, mean_gap, own_horizon

LOGIT_MAX, LOGIT_MIN = 30.0, -37.0
"""Log-odds of a probability that rounds to 1 or to 0. Those that can be computed are between -36.8 and 30."""
USUAL_MAX = 3.0
"""Cap on log((age + silence) / age), the age being alpha + span. A longer silence (19 times the age) is
not used as a reference point."""
NEWTON_MAX, NEWTON_NEAR = 8, 1e-7
"""Steps of Newton's method, and the length after which another would change nothing: each has about the
square of the length before it, and a millisecond in ten years is 3e-12."""
HABITS_REMEMBERED = 1 << 16
"""Pairs of purchase days and span in each cache. Spans are whole days: 50,000 customers in a year have a few
thousand pairs (measured)."""


class Inactivity(NamedTuple):
    """The state of the purchase process of one customer, which stays as it is while nothing is bought.

    Times are in units of the process (`unit_ms`) unless their names say ms.
    """

    unit_ms: int
    rate: float
    """r + x: shape of the gamma distribution of the buying rate, given the purchases."""
    age_at_last: float
    """alpha + t_x: its scale at the last purchase."""
    left_at_last: float
    """Log-odds of having left for good right after the last purchase, by MBG/NBD."""
    odds_at_last: float
    """The same by the model's own process; -inf where nobody can have left (BG/NBD without a repeat)."""
    horizon: float
    """The customer's own horizon."""
    gap: float
    """The mean gap between purchases, or the median one where the mean is infinite."""
    usual_ms: int
    """The silence within which nine in ten such customers, if they have not left, have bought again."""

    def log_odds(self, silent_ms: int) -> float:
        """Log-odds of no purchase within the customer's own horizon, after a silence."""
        age = self.age_at_last + silent_ms / self.unit_ms
        odds_log = self.odds_at_last + self.rate * math.log(age / self.age_at_last)
        alive = 1.0 / (1.0 + math.exp(odds_log)) if odds_log < EXP_MAX else 0.0
        active = -alive * math.expm1(-self.rate * math.log1p(self.horizon / age))
        if active <= 1e-13:
            return LOGIT_MAX  # 1e-13 itself has log-odds of 29.93
        return math.log((1.0 - active) / active) if active < 1.0 else LOGIT_MIN

    def surely_left_ms(self, log_odds: float) -> int:
        """A silence after which `log_odds` is at least this high, because having left alone accounts for it.

        An upper bound near the crossing, from which a search can start; FOREVER_MS where it would not be
        near.
        """
        growth = (log_odds - self.odds_at_last) / self.rate
        if growth > USUAL_MAX:
            return FOREVER_MS
        return int(1.001 * self.age_at_last * math.expm1(max(0.0, growth)) * self.unit_ms) + 1_000

    def reaching_ms(self, log_odds: float, high_ms: int) -> int:
        """About the silence, up to `high_ms`, after which `log_odds` is reached: mostly to the millisecond.

        A guess, by Newton's method for the logarithm of P(active) over u, the logarithm of the age over that
        at the last purchase. That function only falls, and ever faster; so from the right all steps go left,
        and three mostly do. A root beyond `high_ms` is given as that.
        """
        goal = -math.log1p(math.exp(min(log_odds, EXP_MAX)))
        rate, horizon = self.rate, self.horizon
        u = last = math.log1p(high_ms / self.unit_ms / self.age_at_last)
        for _ in range(NEWTON_MAX):
            odds = math.exp(min(self.odds_at_last + rate * u, EXP_MAX))
            age = self.age_at_last * math.exp(u)
            buys = -math.expm1(-rate * math.log1p(horizon / age))
            slope = odds / (1.0 + odds) + (1.0 - buys) / buys * horizon / (age + horizon)
            if slope < NEWTON_NEAR:
                break  # too flat to say where the root is
            step = (math.log(buys) - math.log1p(odds) - goal) / (rate * slope)
            u = min(max(u + step, 0.0), last)
            if abs(step) < NEWTON_NEAR:
                break
        return math.ceil(self.age_at_last * math.expm1(u) * self.unit_ms)

    def left_log_odds(self, silent_ms: int) -> float:
        """Log-odds of having left for good, by MBG/NBD, after a silence."""
        age = self.age_at_last + silent_ms / self.unit_ms
        return min(self.left_at_last + self.rate * math.log(age / self.age_at_last), LOGIT_MAX)


@lru_cache(maxsize=HABITS_REMEMBERED)
def inactivity(model: Model, x: int, span_ms: int) -> Inactivity:
    """The process of customers with `x` repeat purchase days and `span_ms` from the first day to the last."""
    process = model.process
    rate, stays = process.r + x, process.b + x
    t_x = span_ms / process.unit_ms
    left = math.log(process.a / stays)
    if process.kind == "mbgnbd":
        odds_log = left
    else:
        odds_log = math.log(process.a / (stays - 1.0)) if x > 0 else -math.inf
    horizon = own_horizon(process, model.horizon, x, t_x)
    age = process.alpha + t_x
    usual_ms = round(age * math.expm1(min(math.log(10.0) / rate, USUAL_MAX)) * process.unit_ms)
    return Inactivity(process.unit_ms, rate, age, left, odds_log, horizon, _gap(process, x, t_x), usual_ms)


def _gap(process: PurchaseProcess, x: int, t_x: float) -> float:
    """The mean gap; where too short a history leaves it infinite, the median (at most 147 times the age)."""
    gap = mean_gap(process, x, t_x)
    if gap < math.inf:
        return gap
    return (process.alpha + t_x) * math.expm1(min(math.log(2.0) / (process.r + x), 5.0))
