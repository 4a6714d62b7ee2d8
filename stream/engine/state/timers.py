"""The timers of a partition's rows, at most one per row: a heap in which outdated entries stay a while."""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace

from stream.engine.units import FOREVER_MS


class Timers:
    """Key of a row -> event time of its timer.

    Most changes of a row move its timer later. That costs one write to a dict: the heap keeps the earlier
    time, and is corrected when that time comes.
    """

    __slots__ = ("_at", "_heap", "earliest_ms")

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []
        self.earliest_ms = FOREVER_MS
        """A lower bound: no timer is earlier."""

    def __len__(self) -> int:
        return len(self._at)

    def set(self, key: bytes, at_ms: int | None) -> None:
        """The timer of a row; None removes it."""
        known_ms = self._at.get(key)
        if at_ms == known_ms:
            return
        if at_ms is None:
            del self._at[key]
            return
        self._at[key] = at_ms
        if known_ms is None or at_ms < known_ms:
            heappush(self._heap, (at_ms, key))
            self.earliest_ms = min(self.earliest_ms, at_ms)

    def set_all(self, timers: dict[bytes, int]) -> None:
        """Those of all rows at once, after recovery."""
        self._at = timers
        self._heap = [(at_ms, key) for key, at_ms in timers.items()]
        heapify(self._heap)
        self._note_earliest()

    def pop(self, until_ms: int) -> tuple[int, bytes] | None:
        """Take out the earliest timer up to and including `until_ms`; of equal ones the lowest key."""
        heap, at = self._heap, self._at
        while heap and heap[0][0] <= until_ms:
            at_ms, key = heap[0]
            real_ms = at.get(key)
            if real_ms is not None and real_ms > at_ms:
                heapreplace(heap, (real_ms, key))
                continue
            heappop(heap)
            if real_ms == at_ms:
                del at[key]
                self._note_earliest()
                return at_ms, key
        self._note_earliest()
        return None

    def take(self, key: bytes, until_ms: int) -> int | None:
        """Take out the timer of one row, if it is not later than `until_ms`: its time."""
        at_ms = self._at.get(key)
        if at_ms is None or at_ms > until_ms:
            return None
        del self._at[key]  # the heap's entry is outdated now
        return at_ms

    def count_until(self, until_ms: int) -> int:
        """How many timers are not later than `until_ms`. Only these are looked at, and as many again."""
        heap, at, places = self._heap, self._at, [0]
        found = set[bytes]()
        for place in places:
            if place < len(heap) and heap[place][0] <= until_ms:
                key = heap[place][1]
                if at.get(key, FOREVER_MS) <= until_ms:
                    found.add(key)
                places += (2 * place + 1, 2 * place + 2)
        return len(found)

    def _note_earliest(self) -> None:
        self.earliest_ms = self._heap[0][0] if self._heap else FOREVER_MS
