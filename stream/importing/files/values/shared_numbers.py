"""Order numbers that several customers have on one day: they are counted by each store or till by itself."""

from __future__ import annotations

from stream.core.units import DAY_MS

NUMBERS_KEPT = 100_000
"""Order numbers that are remembered, so that memory does not grow with the files: where stores count by
themselves, many of these show it."""


class SharedNumbers:
    """What the order lines show of who has one number."""

    def __init__(self, numbers_kept: int = NUMBERS_KEPT) -> None:
        self._numbers_kept = numbers_kept
        self._first: dict[str, tuple[str, int]] = {}
        """Order number -> customer and time (ms since 1970) of its first line."""
        self.shared: set[str] = set()
        """Numbers that another customer has within a day."""
        self.example = ""

    def note(self, order: str, customer: str, time_ms: int) -> None:
        """One more line of an order that was bought."""
        first = self._first.get(order)
        if first is None:
            if len(self._first) < self._numbers_kept:
                self._first[order] = customer, time_ms
        elif first[0] != customer and abs(time_ms - first[1]) < DAY_MS and order not in self.shared:
            self.example = self.example or order
            self.shared.add(order)

    @property
    def counted(self) -> str:
        """Their number in words: `at least 7` where not all could be remembered."""
        return f"{'at least ' if len(self._first) >= self._numbers_kept else ''}{len(self.shared):,}"
