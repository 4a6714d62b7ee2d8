"""A file of events: one structured CloudEvent a line, compressed by its suffix, whole or not there.

What is read is told by its first bytes, not by its name; a damaged file is one readable line.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

STDOUT = Path("-")
GZIP, ZSTD, BYTE_ORDER_MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


class UnreadableFileError(click.ClickException):
    """A file that cannot be read to its end."""

    exit_code = 2


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path` and take its place at the end: nothing half written stays after Ctrl-C."""
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{os.getpid()}-{path.name}")  # keeps the suffix, so it is compressed alike
    try:
        with _begun(partial) as out:
            yield out
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number; Windows' mark before the first is none of it."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if number == 1:
                text = text.removeprefix(BYTE_ORDER_MARK)
            if text:
                yield number, text


def opened(path: Path) -> BinaryIO:
    """Open for reading, through the compression that its first bytes name."""
    file = path.open("rb")
    begins = file.peek(len(ZSTD))
    if begins.startswith(GZIP):
        return io.BufferedReader(_Unpacked(path, file, gzip.GzipFile(fileobj=file)))
    if begins.startswith(ZSTD):
        pa = _arrow(path)
        unpacked = pa.CompressedInputStream(pa.PythonFile(file), "zstd")
        return io.BufferedReader(_Unpacked(path, file, unpacked))
    return file


class _Unpacked(io.RawIOBase):
    """What is in a compressed file."""

    def __init__(self, path: Path, packed: BinaryIO, inner: Any) -> None:
        self._path, self._packed, self._inner = path, packed, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count: int = self._inner.readinto(buffer)
        except (EOFError, zlib.error, OSError) as damage:
            raise UnreadableFileError(f"{self._path} is damaged or not whole: {damage}") from damage
        return count

    def close(self) -> None:
        self._inner.close()
        self._packed.close()
        super().close()


def _begun(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "wb", compresslevel=3))
    if path.suffix in {".zst", ".zstd"}:
        return cast(BinaryIO, _arrow(path).output_stream(path, compression="zstd"))
    return path.open("wb")


def _arrow(path: Path) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        told = f"{path}: zstandard needs pyarrow, of customer-stream[demo]"
        raise UnreadableFileError(told) from None
    return pa
