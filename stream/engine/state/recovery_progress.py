"""How far the recovery of the rows is, for those who watch it from another thread."""

from __future__ import annotations

import time
from collections.abc import Callable


class RecoveryProgress:
    """Records read, and to be read; of one recovery at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any start; only differences count."""
        self._clock = clock
        self._total = self._read = 0
        self._began_s = 0.0

    def begin(self, total: int) -> None:
        """So many offsets lie before the ends. Compacted ones among them are never read."""
        self._total, self._read, self._began_s = total, 0, self._clock()

    def reached(self, read: int) -> None:
        """So many of them are behind us."""
        self._read = read

    def end(self) -> None:
        """Nothing is recovered now."""
        self._total = self._read = 0

    @property
    def left(self) -> int:
        """Offsets to go."""
        return max(0, self._total - self._read)

    @property
    def seconds_left(self) -> float:
        """Seconds to go at the pace so far; 0 before anything was read."""
        if not self._read:
            return 0.0
        return self.left * (self._clock() - self._began_s) / self._read
