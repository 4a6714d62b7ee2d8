"""What silence alone does to the chance of another purchase: the purchase process as a function of time.

It depends on the number of repeat purchase days and the time they span, and nothing else of the customer. So
what one customer's silence leads to, and when, holds for all with the same two numbers: both are remembered.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from stream.core.model.record import Model, PurchaseProcess
from stream.core.units import FOREVER_MS
from stream.core.value.clv import EXP_MAX, mean_gap, own_horizon

LOGIT_MAX, LOGIT_MIN = 30.0, -37.0
USUAL_MAX = 3.0
"""Of the logarithm of what such a silence multiplies an age by: beyond, nothing is usual."""
REMEMBERED = 1 << 16
"""Customers share spans by the day: 50,000 of them over a year need a few thousand (measured)."""


class Inactivity(NamedTuple):
    """All that does not change while nothing is bought."""

    unit_ms: int
    rate: float
    age_at_last: float
    """alpha + t_x, in model units."""
    left_at_last: float
    """Log-odds of having left for good right after the last purchase, in the MBG form."""
    odds_at_last: float
    """The same by the model's own process; -inf where nobody can have left."""
    horizon: float
    """The customer's own, in model units."""
    gap: float
    """The mean gap, or the median one where the mean is not bounded; in model units."""
    usual_ms: int
    """By then nine in ten such customers have bought again, if they have not left."""

    def log_odds(self, silent_ms: int) -> float:
        """Of no purchase within the own horizon, after so long a silence."""
        age = self.age_at_last + silent_ms / self.unit_ms
        odds_log = self.odds_at_last + self.rate * math.log(age / self.age_at_last)
        alive = 1.0 / (1.0 + math.exp(odds_log)) if odds_log < EXP_MAX else 0.0
        active = -alive * math.expm1(-self.rate * math.log1p(self.horizon / age))
        if active <= 1e-13:
            return LOGIT_MAX  # 29.9 at most, or 30
        return math.log((1.0 - active) / active) if active < 1.0 else LOGIT_MIN  # -36.7 at least, or -37

    def surely_left_ms(self, log_odds: float) -> int:
        """A silence long enough for these log-odds by having left alone: a near bound for `log_odds`."""
        growth = (log_odds - self.odds_at_last) / self.rate
        if growth > USUAL_MAX:
            return FOREVER_MS
        return int(1.001 * self.age_at_last * math.expm1(max(0.0, growth)) * self.unit_ms) + 1_000

    def left_log_odds(self, silent_ms: int) -> float:
        """Of having left for good."""
        age = self.age_at_last + silent_ms / self.unit_ms
        return min(self.left_at_last + self.rate * math.log(age / self.age_at_last), LOGIT_MAX)


@lru_cache(maxsize=REMEMBERED)
def inactivity(model: Model, x: int, span_ms: int) -> Inactivity:
    """Of a customer with x repeat purchase days, `span_ms` from the first day to the last."""
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
    gap = mean_gap(process, x, t_x)
    if gap < math.inf:
        return gap
    return (process.alpha + t_x) * math.expm1(min(math.log(2.0) / (process.r + x), 5.0))
