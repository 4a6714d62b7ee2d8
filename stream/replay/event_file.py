"""A file of events: one structured CloudEvent a line, compressed by its suffix, whole or not there."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

STDOUT = Path("-")


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path` and take its place at the end: nothing half written stays after Ctrl-C."""
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{os.getpid()}-{path.name}")  # keeps the suffix, so it is compressed alike
    try:
        with opened(partial, "wb") as out:
            yield out
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def opened(path: Path, mode: str) -> BinaryIO:
    """Open for reading ("rb") or writing ("wb") through the compression its suffix names."""
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, mode, compresslevel=3))
    if path.suffix in {".zst", ".zstd"}:
        return _zstd(path, mode)
    return cast(BinaryIO, path.open(mode))


def _zstd(path: Path, mode: str) -> BinaryIO:
    import pyarrow as pa

    if mode == "wb":
        return cast(BinaryIO, pa.output_stream(path, compression="zstd"))
    return cast(BinaryIO, pa.input_stream(path, compression="zstd"))
