"""For how long the records of a partition have waited, told by when the end of its log was seen to grow.

The timestamp of a record does not tell it: producers set it to the time of the event, which in a history is
years ago. So the end of the log is noted as time goes by, and a record has waited since the end went past it.
What was there before the first look counts from that look on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import NamedTuple

MARKS_MAX = 256
"""Marks kept for each partition; with more, neighbours become one, and what they tell becomes coarser."""
FORGOTTEN_AFTER_S = 600.0
"""After a rebalance the same worker often has the partition again; later its marks are of no use."""


class _SeenEnd(NamedTuple):
    seen_s: float
    end: int
    """Records before this offset were there at that time."""


class WaitingRecords:
    """The marks of one partition."""

    def __init__(self) -> None:
        self._marks: deque[_SeenEnd] = deque()
        self.looked_s = 0.0

    def note(self, end: int, applied: int, now_s: float) -> None:
        """The log ends at offset `end`, and all before `applied` is done."""
        marks = self._marks
        self.looked_s = now_s
        while marks and marks[0].end <= applied:
            marks.popleft()
        if end > applied and (not marks or end > marks[-1].end):
            marks.append(_SeenEnd(now_s, end))
        if len(marks) > MARKS_MAX:
            pairs = list(marks)
            self._marks = deque(
                _SeenEnd(first.seen_s, second.end)
                for first, second in zip(pairs[::2], pairs[1::2], strict=False)
            )
            if len(pairs) % 2:
                self._marks.append(pairs[-1])

    def seconds(self, applied: int, now_s: float) -> float:
        """How long the oldest record from `applied` on has waited; 0 when none waits."""
        since = next((mark.seen_s for mark in self._marks if mark.end > applied), now_s)
        return max(0.0, now_s - since)


class WaitingPartitions:
    """The marks of all partitions of a worker, by whatever names a partition."""

    def __init__(self) -> None:
        self._of: dict[Hashable, WaitingRecords] = {}

    def note(self, places: Iterable[tuple[Hashable, int, int]], now_s: float) -> None:
        """Partition, end of its log, and offset up to which all is done, of each that is read now."""
        for place, end, applied in places:
            self._of.setdefault(place, WaitingRecords()).note(end, applied, now_s)
        for place in [each for each, one in self._of.items() if now_s - one.looked_s > FORGOTTEN_AFTER_S]:
            del self._of[place]

    def seconds(self, place: Hashable, applied: int, now_s: float) -> float:
        """See `WaitingRecords.seconds`; 0 for a partition that was never looked at."""
        waiting = self._of.get(place)
        return waiting.seconds(applied, now_s) if waiting else 0.0
