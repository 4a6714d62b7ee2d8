"""The one root finder of the core: regula falsi in the Illinois form, for functions that only rise."""

from __future__ import annotations

from typing import Generic, TypeVar

Place = TypeVar("Place", int, float)


class Bracket(Generic[Place]):
    """Two points around a root: the function is below 0 at `low`, and 0 or above at `high`.

    The caller proposes a place between them and evaluates the function there. Plain regula falsi is slow when
    one end stays where it is; the Illinois rule halves the value at an end that stays for a second time, and
    then converges faster than bisection (Dowell & Jarratt, BIT 11, 1971).
    """

    __slots__ = ("_side", "at_high", "at_low", "high", "low")

    def __init__(self, low: tuple[Place, float], high: tuple[Place, float]) -> None:
        """Each end with the value of the function there."""
        self.low: Place = low[0]
        self.high: Place = high[0]
        self.at_low, self.at_high = low[1], high[1]
        self._side = 0  # the end that moved last: 1 high, -1 low

    def narrow(self, place: Place, value: float) -> bool:
        """Move one end to a place between them, where the function has this value; True for the high end."""
        if value >= 0.0:
            if self._side > 0:
                self.at_low *= 0.5
            self.high, self.at_high, self._side = place, value, 1
            return True
        if self._side < 0:
            self.at_high *= 0.5
        self.low, self.at_low, self._side = place, value, -1
        return False
