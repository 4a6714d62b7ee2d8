"""Forward decay: sums that forget with time, and do not care in which order their parts arrive.

A part of time t weighs 2^((t - LANDMARK) / half-life); a sum divided by the weight of an instant is its value
as of then. Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009.
"""

from stream.core.units import DAY_MS

LANDMARK_MS = 1_577_836_800_000  # 2020-01-01; doubles hold a half-life of 30 days from 1936 to 2104

VALUE_HALF_LIFE_MS = 180 * DAY_MS
"""Of the decayed value: the sum of amount_minor * 2 ** (-(as_of - paid) / half-life)."""
BASKET_HALF_LIFE_MS = 90 * DAY_MS
INTEREST_HALF_LIFE_MS = 60 * DAY_MS
WARMTH_HALF_LIFE_MS = 30 * DAY_MS
MOOD_HALF_LIFE_MS = 45 * DAY_MS
TEMPER_HALF_LIFE_MS = 365 * DAY_MS


def weight(at_ms: int, half_life_ms: int) -> float:
    """Weight of something that happened at `at_ms`; divide a sum by it to read it as of then."""
    heft: float = 2.0 ** ((at_ms - LANDMARK_MS) / half_life_ms)
    return heft


def as_of(total: float, as_of_ms: int, half_life_ms: int) -> float:
    """A forward-decayed sum's value as of an instant."""
    return total / weight(as_of_ms, half_life_ms)
