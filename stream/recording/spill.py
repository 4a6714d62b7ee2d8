"""Records in order that one process writes and another reads: a temporary file without a name."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from stream.recording.part import Record

BLOCK_BYTES = 1 << 20

_encode = msgspec.json.Encoder().encode
_decode_key = msgspec.json.Decoder(tuple[str, ...]).decode


class Span(NamedTuple):
    """Where in the file some records are, in bytes."""

    begin: int
    end: int


class Spill:
    """A file that both processes have open. Each record is two lines: its key, and its own."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="stream-job-", buffering=BLOCK_BYTES)  # noqa: SIM115

    def write(self, records: Iterable[Record]) -> Span:
        """Add records; they can be read when this returns."""
        file = self._file
        begin = file.seek(0, os.SEEK_END)
        for key, line in records:
            file.write(_encode(key) + b"\n" + line + b"\n")
        file.flush()
        return Span(begin, file.tell())

    def read(self, span: Span) -> Iterator[Record]:
        """The records that are in a part of the file."""
        lines = io.BufferedReader(_Window(self._file.fileno(), span), BLOCK_BYTES)
        while key := lines.readline():
            yield _decode_key(key), lines.readline()[:-1]

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


class _Window(io.RawIOBase):
    """A part of a file, read without moving the place that processes share."""

    def __init__(self, descriptor: int, span: Span) -> None:
        self._descriptor, self._at, self._end = descriptor, span.begin, span.end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self._end - self._at)
        found = os.pread(self._descriptor, size, self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
