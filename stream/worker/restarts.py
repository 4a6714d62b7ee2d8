"""When a worker that ended is started again, and when its fellows are stopped as well. Pure: time is given.

A worker that ends is started again after a pause that doubles with every end in a row; one that lasted begins
anew with the shortest pause. Codes that another start cannot cure end all workers: what is wrong is the same
for each of them (sysexits.h has their numbers, the runbook what to do).
"""

from __future__ import annotations

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LASTED_S = 120.0
"""A worker that ran for so long had started well."""
ENDS_MAX = 10
"""After so many ends in a row, each soon after its start, starting again is given up."""
FINAL = frozenset({2, 74, 76, 78})
"""Exit codes: wrong settings, lost records, too many dead letters, topics that do not fit."""


class Restarts:
    """What becomes of one worker that may end at any time."""

    def __init__(self) -> None:
        self._ends = 0
        """Ends in a row"""

    def pause_s(self, code: int, lasted_s: float) -> float | None:
        """Seconds until it is started again after it ended with `code`; None: no more, all shall stop.

        `code` is the exit code, or minus the signal that ended the worker; `lasted_s` how long it ran.
        """
        if code in FINAL:
            return None
        self._ends = 1 if lasted_s >= LASTED_S else self._ends + 1
        if self._ends > ENDS_MAX:
            return None
        return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._ends - 1)))


def status_of(code: int) -> int:
    """The exit status for a process that ended with `code`: 128 + its signal, if one ended it."""
    return code if code >= 0 else 128 - code
