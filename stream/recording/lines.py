"""The lines of a recording in order of their times, in little memory, and shared by forked processes.

A line costs 34 bytes of numbers beside its text. The texts stand one after the other, the first MEMORY_MAX
bytes in memory and the rest in a temporary file without a name. No text is an object of its own: reading it
in a forked process copies no page, and a file that changes after it was read changes nothing.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple
from zlib import crc32

MEMORY_MAX = 256 << 20
"""Bytes of text kept in memory; what is more is in the temporary file."""
BLOCK_BYTES = 256 << 10
"""Texts that follow each other are read from the temporary file, and written to it, by so many bytes."""
OF_ALL = (1 << 16) - 1
"""The share of an event that concerns every customer: it belongs to all jobs."""
OF_NOBODY = 0
"""The share of a line whose customer cannot be read, and of events about no single customer."""


def share_of(customer: str) -> int:
    """The share of a customer's events, 0 to 65,534: a hash, the same in every process and version."""
    return crc32(customer.encode("utf-8", "surrogatepass")) % OF_ALL


class Origin(NamedTuple):
    """Where a line stood: index of its file, and its number in it."""

    file: int
    number: int


class Lines:
    """Lines with their times; sorted once, then read by their place in that order (0 is the first)."""

    def __init__(self) -> None:
        self._texts = _Texts()
        self._times_ms, self._starts, self._lengths = array("q"), array("q"), array("i")
        self._files, self._numbers, self._shares = array("I"), array("q"), array("H")
        self._order: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self._times_ms)

    def append(self, at_ms: int, origin: Origin, share: int, text: bytes | None) -> None:
        """Add a line; without its text it only counts as a time."""
        self._times_ms.append(at_ms)
        self._starts.append(self._texts.append(text) if text is not None else -1)
        self._lengths.append(len(text) if text is not None else 0)
        self._files.append(origin.file)
        self._numbers.append(origin.number)
        self._shares.append(share)

    def sort(self) -> None:
        """Put the lines in order of time; those of one time stay in the order in which they were added."""
        times = self._times_ms
        self._texts.flush()
        places = range(len(times))
        if all(times[place] <= times[place + 1] for place in places[:-1]):
            self._order = places
        else:
            self._order = array("I", sorted(places, key=times.__getitem__))

    def places(self, job: int, jobs: int) -> Sequence[int]:
        """The places, in order, of one of `jobs` jobs (0 to `jobs` - 1): its own lines and those of all."""
        if jobs == 1:
            return range(len(self))
        shares = self._shares

        def is_here(line: int) -> bool:
            return shares[line] % jobs == job or shares[line] == OF_ALL

        return array("I", (place for place, line in enumerate(self._order) if is_here(line)))

    def at_ms(self, place: int) -> int:
        """The time of a line, milliseconds since 1970."""
        return self._times_ms[self._order[place]]

    def times_ms(self) -> list[int]:
        """All times, in order."""
        return [self._times_ms[line] for line in self._order]

    def origin(self, place: int) -> Origin:
        """Where a line stood."""
        line = self._order[place]
        return Origin(self._files[line], self._numbers[line])

    def text(self, place: int) -> bytes | None:
        """A line, or None where it was added without its text."""
        line = self._order[place]
        start = self._starts[line]
        return self._texts.read(start, self._lengths[line]) if start >= 0 else None

    def instants(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """The places, which are in order, by their time: those of one millisecond together."""
        times, order = self._times_ms, self._order
        begin, count = 0, len(places)
        while begin < count:
            at_ms, end = times[order[places[begin]]], begin + 1
            while end < count and times[order[places[end]]] == at_ms:
                end += 1
            yield places[begin:end]
            begin = end


class _Texts:
    """Bytes that are only added to, read by where they begin."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._pending = bytearray()
        self._file: BinaryIO | None = None
        self._flushed = 0
        self._block, self._block_start = b"", 0
        self._end = 0

    def append(self, text: bytes) -> int:
        """Add a text; returns where it begins."""
        if self._file is None and len(self._memory) + len(text) <= MEMORY_MAX:
            start = len(self._memory)
            self._memory += text
            return start
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="stream-events-", buffering=0)  # noqa: SIM115
        start = len(self._memory) + self._flushed + len(self._pending)
        self._pending += text
        if len(self._pending) >= BLOCK_BYTES:
            self.flush()
        return start

    def flush(self) -> None:
        """Write what waits to the temporary file."""
        if self._file is not None and self._pending:
            waiting = memoryview(self._pending)
            while waiting:
                waiting = waiting[self._file.write(waiting) :]
            self._flushed += len(self._pending)
            self._pending = bytearray()

    def read(self, start: int, length: int) -> bytes:
        """The text that begins at `start`."""
        if self._file is None or start < len(self._memory):
            return bytes(memoryview(self._memory)[start : start + length])
        start -= len(self._memory)
        inside = start - self._block_start
        if not 0 <= inside <= len(self._block) - length:
            follows = start == self._end
            self._block_start, inside = start, 0
            self._block = self._pread(start, max(length, BLOCK_BYTES if follows else 0))
        self._end = start + length
        return self._block[inside : inside + length]

    def _pread(self, start: int, length: int) -> bytes:
        assert self._file is not None
        return os.pread(self._file.fileno(), length, start)
