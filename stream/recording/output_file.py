"""One way to write a file that a user named: opened before the work, put in place when it is complete.

A new or plain file is written beside its place and then replaces it; the target of a symlink counts. Pipes,
devices and open descriptors (`-`, /dev/stdout, /dev/fd/3) are written to directly. What cannot be opened or
written ends the command with one line.
"""

from __future__ import annotations

import errno
import io
import itertools
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

STDOUT = Path("-")
STDOUT_DESCRIPTOR = 1
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
"""No space on the device, or no quota left."""
NAME_KEPT = 40
"""Characters of the file's name in that of its temporary file: a name may have 255 bytes."""
BUFFER_BYTES = 1 << 16
STANDARD_DESCRIPTORS = {"/dev/stdout": 1, "/dev/stderr": 2}

_numbers = itertools.count()


class UnwrittenOutputError(click.ClickException):
    """A file that could not be written to its end, as when the disk is full; exit code 1."""

    exit_code = 1


class UnopenedOutputError(click.ClickException):
    """A file that cannot be opened for writing, found before the work; exit code 2."""

    exit_code = 2


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """The file, open for writing; it takes its place at the end, unless there is an error."""
    place = None if is_written_directly(path) else Path(os.path.realpath(path))
    partial = place and place.with_name(f".{os.getpid()}-{next(_numbers)}-{place.name[-NAME_KEPT:]}")
    try:
        writer = _Writer(path, _opened(path, partial))
    except OSError as failure:
        raise UnopenedOutputError(f"cannot write {path}: {failure.strerror}") from failure
    file = io.BufferedWriter(writer, BUFFER_BYTES)
    try:
        try:
            yield cast(BinaryIO, file)
        except BaseException:
            writer.is_abandoned = True
            raise
        file.close()
        if place and partial:
            _put_in_place(path, partial, place)
    finally:
        with suppress(click.ClickException, OSError):
            file.close()  # after an error: what is in the buffer may fail to be written, too
        if partial:
            partial.unlink(missing_ok=True)


def is_stdout(path: Path | None) -> bool:
    """Whether a name means standard output."""
    return path is not None and _descriptor(path) == STDOUT_DESCRIPTOR


def is_written_directly(path: Path) -> bool:
    """Whether a name means an open descriptor, a pipe or a device, which no file may replace."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def file_identity(path: Path) -> object:
    """Equal for two names of one file; None for a character device (a terminal), which many may use."""
    try:
        found = os.fstat(STDOUT_DESCRIPTOR) if is_stdout(path) else path.stat()
    except OSError:
        return STDOUT if is_stdout(path) else os.path.realpath(path)
    if is_stdout(path) and not stat.S_ISREG(found.st_mode):
        return STDOUT
    return None if stat.S_ISCHR(found.st_mode) else (found.st_dev, found.st_ino)


def _descriptor(path: Path) -> int | None:
    """The number of the open descriptor that a name means: 1 for `-`, /dev/stdout and /dev/fd/1."""
    if path == STDOUT:
        return STDOUT_DESCRIPTOR
    name = os.path.abspath(path)
    found = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d{1,9})", name)
    return int(found[1]) if found else STANDARD_DESCRIPTORS.get(name)


def _opened(path: Path, partial: Path | None) -> Any:
    """A file without a buffer."""
    if partial is not None:
        if path.is_symlink() and Path(os.path.realpath(path)).is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return partial.open("xb", buffering=0)
    descriptor = _descriptor(path)
    if descriptor is None:
        return path.open("wb", buffering=0)
    if descriptor != STDOUT_DESCRIPTOR:
        return os.fdopen(os.dup(descriptor), "wb", buffering=0)
    sys.stdout.flush()
    return getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)


def _put_in_place(path: Path, partial: Path, place: Path) -> None:
    try:
        if place.exists():
            shutil.copymode(place, partial)
        partial.replace(place)
    except OSError as failure:
        raise UnwrittenOutputError(f"cannot write {path}: {failure.strerror}") from failure


class _Writer(io.RawIOBase):
    """Writes to a file; what goes wrong is told with the file's name. Standard output stays open."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path, self._file = path, file
        self.is_abandoned = False
        """Whether nothing more is written: an interrupt must not wait for the reader of a pipe."""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        if self.is_abandoned:
            return len(content)
        try:
            count: int = self._file.write(content)
        except BrokenPipeError:  # the reader wants no more: click ends the command in silence
            raise
        except OSError as failure:
            raise UnwrittenOutputError(f"cannot write {self._path}: {failure.strerror}") from failure
        return count

    def close(self) -> None:
        if not self.closed and not is_stdout(self._path):
            try:
                self._file.close()
            except OSError as failure:
                raise UnwrittenOutputError(f"cannot write {self._path}: {failure.strerror}") from failure
            finally:
                super().close()
        super().close()
