"""Files of events: one structured CloudEvent (JSON) per line, plain, gzip or Zstandard.

A file is written compressed as its suffix says, and appears only when it is complete. A file is read by the
format that its first bytes show, whatever its name; a damaged file is a one-line error.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from stream.recording.other_formats import refusal
from stream.recording.output_file import output_file

GZIP, ZSTD, BYTE_ORDER_MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


class UnreadableFileError(click.ClickException):
    """A file that cannot be read to its end; exit code 2."""

    exit_code = 2


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Write a file, compressed as its suffix says, that appears when it is complete: see output_file."""
    with output_file(path) as file, _compressed(path, file) as out:
        yield out


@contextmanager
def optional_writer(path: Path | None) -> Iterator[BinaryIO | None]:
    """The writer of a file that was asked for, or None."""
    if path is None:
        yield None
    else:
        with atomic_writer(path) as out:
            yield out


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number from 1; a byte order mark at the start is left out.

    UnreadableFileError for a file that is no JSON lines at all: see stream/recording/other_formats.py.
    """
    with open_unpacked(path) as file:
        if why := refusal(path, cast(io.BufferedReader, file).peek()):
            raise UnreadableFileError(why)
        for number, line in enumerate(file, 1):
            text = line.strip()
            if number == 1:
                text = text.removeprefix(BYTE_ORDER_MARK)
            if text:
                yield number, text


def open_unpacked(path: Path) -> BinaryIO:
    """Open for reading, decompressed as the first bytes say (gzip, Zstandard or plain)."""
    file = path.open("rb")
    first_bytes = file.peek(len(ZSTD))
    if first_bytes.startswith(GZIP):
        return io.BufferedReader(_Unpacked(path, file, gzip.GzipFile(fileobj=file)))
    if first_bytes.startswith(ZSTD):
        pa = _arrow(path)
        unpacked = pa.CompressedInputStream(pa.PythonFile(file), "zstd")
        return io.BufferedReader(_Unpacked(path, file, unpacked))
    return file


class _Unpacked(io.RawIOBase):
    """The decompressed content of a file; damage becomes UnreadableFileError."""

    def __init__(self, path: Path, packed: BinaryIO, inner: Any) -> None:
        self._path, self._packed, self._inner = path, packed, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count: int = self._inner.readinto(buffer)
        except (EOFError, zlib.error, OSError) as damage:
            raise UnreadableFileError(f"{self._path} is damaged or incomplete: {damage}") from damage
        return count

    def close(self) -> None:
        self._inner.close()
        self._packed.close()
        super().close()


@contextmanager
def _compressed(path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    if path.suffix == ".gz":
        with gzip.GzipFile(path.name, "wb", compresslevel=3, fileobj=file) as packed:
            yield cast(BinaryIO, packed)
    elif path.suffix in {".zst", ".zstd"}:
        pa = _arrow(path)
        with pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd") as packed:
            yield packed
    else:
        yield file


def _arrow(path: Path) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        needs = "Zstandard needs pyarrow, which customer-stream[demo] installs"
        raise UnreadableFileError(f"{path}: {needs}") from None
    return pa
