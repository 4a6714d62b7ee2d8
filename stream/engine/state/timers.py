"""When which row wants to be looked at again. One live entry per key; stale ones are dropped when met."""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace

NEVER_MS = 1 << 62


class Timers:
    """A due time that moves later costs one dict write; the heap's old entry is corrected when popped."""

    __slots__ = ("_at", "_heap", "earliest_ms")

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []
        self.earliest_ms = NEVER_MS
        """A lower bound: nothing is due before it."""

    def __len__(self) -> int:
        return len(self._at)

    def set(self, key: bytes, timer_ms: int | None) -> None:
        known = self._at.get(key)
        if timer_ms == known:
            return
        if timer_ms is None:
            del self._at[key]
            return
        self._at[key] = timer_ms
        if known is None or timer_ms < known:
            heappush(self._heap, (timer_ms, key))
            self.earliest_ms = min(self.earliest_ms, timer_ms)

    def load(self, dues: dict[bytes, int]) -> None:
        """All at once, after recovery."""
        self._at = dues
        self._heap = [(timer_ms, key) for key, timer_ms in dues.items()]
        heapify(self._heap)
        self._look()

    def pop(self, until_ms: int) -> tuple[int, bytes] | None:
        """The earliest due up to and including `until_ms`, ties by key. It is gone then, until set again."""
        heap, at = self._heap, self._at
        while heap and heap[0][0] <= until_ms:
            timer_ms, key = heap[0]
            real_ms = at.get(key)
            if real_ms is not None and real_ms > timer_ms:
                heapreplace(heap, (real_ms, key))
                continue
            heappop(heap)
            if real_ms == timer_ms:
                del at[key]
                self._look()
                return timer_ms, key
        self._look()
        return None

    def _look(self) -> None:
        self.earliest_ms = self._heap[0][0] if self._heap else NEVER_MS
