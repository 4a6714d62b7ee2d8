"""What took long to compute is kept for a while: each reader of a million customers need not compute it.

What is quick is computed anew each time: small shops always see the present moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

LONG_S = 0.1
KEPT_MAX = 64

Value = TypeVar("Value")


class KeptFor:
    """Any thread may use it; two that ask for the same at once may both compute it."""

    def __init__(self, seconds: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock_s = seconds, clock_s
        self._found: dict[Hashable, tuple[float, object]] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What was made for this key lately, or what `make` makes now."""
        began_s = self._clock_s()
        found = self._found.get(key)
        if found is not None and began_s - found[0] < self._seconds:
            return found[1]  # type: ignore[return-value]
        value = make()
        made_s = self._clock_s()
        if made_s - began_s > LONG_S:
            if len(self._found) >= KEPT_MAX:
                self._found.clear()
            self._found[key] = made_s, value
        return value
