"""How even a customer's gaps between purchases are, and what share of such gaps lasts longer than a silence.

Who buys every 30 days, give or take 2, is late after 35; who buys at random times, every 30 days in the mean,
is not. The purchase process (BG/NBD, MBG/NBD) knows only the second kind. Here a customer's gaps have a shape
k: if they were gamma distributed, their standard deviation would be 1 / sqrt(k) of their mean. 1 is chance,
225 is 30 days give or take 2. The shape is estimated from the gaps themselves, and shrunk to those of all
customers: with n gaps the sum of their squared relative deviations is about a chi-squared variable with n - 1
degrees of freedom, divided by k; so a gamma distribution of k over customers stays one (Platzer & Reutterer,
Ticking Away the Moments, Marketing Science 35(5), 2016, have the same idea by simulation).

The share of longer gaps is that of Weibull gaps with a gamma distributed rate (the Burr distribution): a
closed form without series, which with the shape 1 is the gap of BG/NBD itself, rises with silence for every
shape, and is nearly straight in the logarithm of time, as the search for a crossing expects
(docs/decisions/0006).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stream.core.model.record import Evenness, Model
from stream.core.units import DAY_MS

EXPONENT_MIN, EXPONENT_MAX = 0.5, 30.0
"""Bounds of the exponent of time, which is the square root of the shape: gaps that vary by a thirtieth of
their mean are as even as any day count can show."""
EXP_MAX = 700.0
"""math.exp overflows a little above 709."""
LN_10 = math.log(10.0)
ROUNDING = 1.0 / 12.0
"""Variance, in days squared, of what is lost when a gap is counted in whole days: gaps that are all of 7 days
need not be exactly even."""


def gap_shape(evenness: Evenness, gaps: int, variation: float, mean_days: float) -> float:
    """The shape of a customer's gaps, given so many of them, their coefficient of variation and mean.

    The geometric mean of what it may be, approximately: for a customer without two gaps it is a small one.
    """
    shape, rate = evenness.shape, evenness.rate
    if gaps >= 2:
        shape += 0.5 * (gaps - 1)
        rate += 0.5 * squared_deviations(gaps, variation, mean_days)
    return shape / rate * shape / (shape + 0.5)


def squared_deviations(gaps: int, variation: float, mean_days: float) -> float:
    """The sum of squared deviations of gaps from their mean, relative to it, as if not rounded to days."""
    return gaps * (variation * variation + ROUNDING / (mean_days * mean_days))


class OwnRhythm(NamedTuple):
    """What a customer's own rhythm makes of a silence; it stays as it is until the next purchase."""

    left_at_last: float
    """Log-odds of having left for good right after the last purchase."""
    rate: float
    """r + x: shape of the gamma distribution of the buying rate."""
    exponent: float
    """Of time: the square root of the shape of the gaps."""
    scale_log: float
    """Logarithm of the silence, in milliseconds, after which gaps of such customers mostly have ended."""

    def left_log_odds(self, silent_ms: int) -> float:
        """Log-odds of having left for good, after a silence."""
        if silent_ms <= 0:
            return self.left_at_last
        power = min(self.exponent * (math.log(silent_ms) - self.scale_log), EXP_MAX)
        return self.left_at_last + self.rate * math.log1p(math.exp(power))

    @property
    def usual_log_ms(self) -> float:
        """Logarithm of the silence, in milliseconds, that nine in ten gaps of such customers do not reach."""
        return self.scale_log + math.log(math.expm1(min(LN_10 / self.rate, EXP_MAX))) / self.exponent


def own_rhythm(model: Model, x: int, span_ms: int, variation: float, left_at_last: float) -> OwnRhythm:
    """The rhythm of a customer of `x` gaps that make up a span; by chance where nothing is known of it."""
    process = model.process
    shape = exponent = 1.0
    if x > 0 and span_ms > 0 and model.evenness is not None:
        shape = gap_shape(model.evenness, x, variation, span_ms / x / DAY_MS)
        exponent = min(max(math.sqrt(shape), EXPONENT_MIN), EXPONENT_MAX)
    rate = process.r + x
    gap = (process.alpha + shape * span_ms / process.unit_ms) / (process.r + shape * x)
    scale_log = math.log(gap * process.unit_ms) + math.log(rate) / exponent
    return OwnRhythm(left_at_last, rate, exponent, scale_log)
