"""Mean and variance of an amount of which three percentiles are known: what adds up over customers.

Percentiles do not: the median of a sum is not the sum of the medians. Swanson's rule weighs the 10th, 50th
and 90th percentile by 0.3, 0.4 and 0.3 (Hurst, Brown and Swanson 2000).
"""

from __future__ import annotations

OUTER, MIDDLE = 0.3, 0.4


def mean_of(low: float, middle: float, high: float) -> float:
    """The mean, of the 10th, 50th and 90th percentile."""
    return OUTER * low + MIDDLE * middle + OUTER * high


def mean_and_variance(low: float, middle: float, high: float) -> tuple[float, float]:
    """Both, of the same percentiles."""
    mean = mean_of(low, middle, high)
    parts = OUTER * (low - mean) ** 2, MIDDLE * (middle - mean) ** 2, OUTER * (high - mean) ** 2
    return mean, sum(parts)
