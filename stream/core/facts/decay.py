"""Forward decay: exponentially decayed sums whose parts may arrive in any order.

What happened at time t is added with the weight 2 ** ((t - LANDMARK) / half-life), which grows with t. A sum
divided by the weight of an instant is the decayed sum as of that instant. Cormode, Shkapenyuk, Srivastava &
Xu: Forward Decay, ICDE 2009.
"""

from stream.core.units import DAY_MS

LANDMARK_MS = 1_577_836_800_000
"""2020-01-01. With a half-life of 30 days, doubles hold weights of the years 1936 to 2104."""

VALUE_HALF_LIFE_MS = 180 * DAY_MS
"""Of the money spent, which decides the tier: half a year, so that a tier follows the last year or so."""
BASKET_HALF_LIFE_MS = 90 * DAY_MS
"""Of recent baskets and purchase days: a quarter."""
INTEREST_HALF_LIFE_MS = 60 * DAY_MS
"""Of interest in a category."""
WARMTH_HALF_LIFE_MS = 30 * DAY_MS
"""Of engagement."""
MOOD_HALF_LIFE_MS = 45 * DAY_MS
"""Of recent sentiment."""
TEMPER_HALF_LIFE_MS = 365 * DAY_MS
"""Of the customer's usual sentiment, with which the recent one is compared."""


def weight(at_ms: int, half_life_ms: int) -> float:
    """The weight of what happened at `at_ms`; a sum divided by it is the sum as of then."""
    grown: float = 2.0 ** ((at_ms - LANDMARK_MS) / half_life_ms)
    return grown


def as_of(total: float, as_of_ms: int, half_life_ms: int) -> float:
    """The value of a forward-decayed sum as of an instant."""
    return total / weight(as_of_ms, half_life_ms)
