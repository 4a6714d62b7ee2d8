"""When which row wants to be looked at again. One live entry per key; stale ones are dropped when met."""

from __future__ import annotations

from heapq import heapify, heappop, heappush


class Dues:
    """A due time that moves later costs one dict write; the heap's old entry is corrected when popped."""

    __slots__ = ("_at", "_heap")

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._at)

    @property
    def earliest_ms(self) -> int | None:
        """A lower bound: nothing is due before it."""
        return self._heap[0][0] if self._heap else None

    def set(self, key: bytes, due_ms: int | None) -> None:
        known = self._at.get(key)
        if due_ms == known:
            return
        if due_ms is None:
            del self._at[key]
            return
        self._at[key] = due_ms
        if known is None or due_ms < known:
            heappush(self._heap, (due_ms, key))

    def load(self, dues: dict[bytes, int]) -> None:
        """All at once, after recovery."""
        self._at = dues
        self._heap = [(due_ms, key) for key, due_ms in dues.items()]
        heapify(self._heap)

    def pop(self, until_ms: int) -> tuple[int, bytes] | None:
        """The earliest due up to and including `until_ms`, ties by key. It is gone then, until set again."""
        heap, at = self._heap, self._at
        while heap and heap[0][0] <= until_ms:
            due_ms, key = heappop(heap)
            real_ms = at.get(key)
            if real_ms == due_ms:
                del at[key]
                return due_ms, key
            if real_ms is not None and real_ms > due_ms:
                heappush(heap, (real_ms, key))
        return None
