"""The process of one job: it does the work that it is told, and ends with the process that started it."""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import signal
import struct
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from stream.parent_process import end_with
from stream.recording.part import Part
from stream.recording.spill import Spill
from stream.wire import Rejected, Unknown

COUNTED_BY = 500
"""Lines after which a process tells how far it is."""
COUNTER = struct.Struct("<q")

Aside = dict[int, Rejected | Unknown]


class Answered(NamedTuple):
    """What came of some work."""

    answer: Any
    aside: Aside
    """The lines found that are no events."""
    failure: BaseException | None = None
    trace: str = ""
    """Where the failure was raised."""


class _Links(NamedTuple):
    """What a process is given to be told by, and to tell."""

    connection: Connection
    counters: mmap.mmap
    spill: Spill
    unwanted: Sequence[Connection]
    """Ends of other processes' connections, which the fork copied."""
    parent: int


class JobProcess:
    """One forked process, seen from the process that started it."""

    def __init__(self, part: Part, counters: mmap.mmap, others: Sequence[JobProcess]) -> None:
        """Start the process. `counters` has a number for each job: lines read by its present work."""
        self.spill = Spill()
        self._offset = part.job * COUNTER.size
        self._counters = counters
        self.connection, far = multiprocessing.Pipe()
        unwanted = [self.connection, *(other.connection for other in others)]
        links = _Links(far, counters, self.spill, unwanted, os.getpid())
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_serve, args=(part, links), daemon=True)
        with warnings.catch_warnings():  # from Python 3.12 on: BLAS has threads, which no job uses
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        far.close()

    @property
    def sentinel(self) -> int:
        """Becomes readable when the process ends."""
        return self._process.sentinel

    @property
    def done(self) -> int:
        """Lines read by its present work."""
        count: int = COUNTER.unpack_from(self._counters, self._offset)[0]
        return count

    def tell(self, work: Callable[..., Any], left_out: frozenset[str], arguments: tuple[Any, ...]) -> None:
        """Let the process work on its part; its answer comes by the connection."""
        COUNTER.pack_into(self._counters, self._offset, 0)
        self.connection.send((work, left_out, arguments))

    def ended_by(self) -> int:
        """The signal that ended the process, 0 for none; call it only when the process has ended."""
        self._process.join()
        return max(0, -(self._process.exitcode or 0))

    def end(self) -> None:
        """End the process, whatever it does: it holds nothing that would have to be finished."""
        self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self.spill.close()


def _serve(part: Part, links: _Links) -> None:
    """Work until there is nobody to work for. An interrupt of the group is for the parent, which ends all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(links.parent, signal.SIGKILL)  # where that cannot be: when its next answer cannot be sent
    for one in links.unwanted:
        one.close()
    gc.freeze()  # what was there at the fork is not looked through again, so its pages stay shared
    counter = _Counter(links.counters, part.job * COUNTER.size)
    part.advance = counter.add
    part.keep = links.spill.write  # type: ignore[method-assign]
    connection = links.connection
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            work, part.left_out, arguments = connection.recv()
            counter.restart()
            _answer(connection, _answered(part, work, arguments))


def _answered(part: Part, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Answered:
    try:
        answer = work(part, *arguments)
    except BaseException as failure:
        return Answered(None, {}, failure, "".join(traceback.format_exception(failure)))
    aside, part.aside = part.aside, {}
    return Answered(answer, aside)


def _answer(connection: Connection, answered: Answered) -> None:
    """Send the answer; a failure that cannot be sent as it is goes as its text."""
    try:
        connection.send(answered)
    except (EOFError, OSError):
        raise
    except Exception as unsent:
        failure = answered.failure or unsent
        text = RuntimeError(f"{type(failure).__name__}: {failure}")
        connection.send(Answered(None, {}, text, answered.trace))


class _Counter:
    """Counts lines, and tells the other process now and then."""

    def __init__(self, counters: mmap.mmap, offset: int) -> None:
        self._counters, self._offset = counters, offset
        self.restart()

    def restart(self) -> None:
        self._done = self._shown = 0

    def add(self, count: int) -> None:
        self._done += count
        if self._done - self._shown >= COUNTED_BY:
            self._shown = self._done
            COUNTER.pack_into(self._counters, self._offset, self._done)
