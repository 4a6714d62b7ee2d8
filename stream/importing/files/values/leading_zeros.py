"""Ids that are written with and without zeros in front: a spreadsheet cuts them, and one id becomes two."""

from __future__ import annotations

KEPT_MAX = 100_000
"""Numbers that are remembered, so that memory does not grow with the files. Where zeros were cut they were
cut in a whole file, so many of these show it."""


class ZerosDoubt:
    """The ids of one field that are written in two ways, `00123` and `123`."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._first: dict[str, str] = {}
        """Number without zeros in front -> how it was written first."""
        self._two_ways: dict[str, tuple[str, str]] = {}

    def note(self, text: str) -> None:
        """One more id, as it counts; other texts than digits say nothing."""
        if not (text.isdecimal() and text.isascii()):
            return
        number = text.lstrip("0")
        first = self._first.get(number)
        if first is None:
            if len(self._first) < self._kept_max:
                self._first[number] = text
        elif first != text:
            self._two_ways.setdefault(number, (first, text))

    @property
    def count(self) -> int:
        """Numbers that are written in two ways, of those that are remembered."""
        return len(self._two_ways)

    @property
    def counted(self) -> str:
        """Their number in words: `at least 7` where not all could be remembered."""
        return f"{'at least ' if len(self._first) >= self._kept_max else ''}{self.count:,}"

    @property
    def example(self) -> tuple[str, str]:
        """One number in both ways, the longer one first; only where there is one."""
        first, other = sorted(next(iter(self._two_ways.values())), key=len)
        return other, first

    @property
    def width(self) -> int:
        """Digits of the longest of these ids."""
        return max((len(text) for pair in self._two_ways.values() for text in pair), default=0)


def padded(text: str, width: int) -> str:
    """A number with the zeros in front that it has lost: `123` is `00123` in 5 digits; other texts as they
    are."""
    return text.zfill(width) if len(text) < width and text.isdecimal() and text.isascii() else text
