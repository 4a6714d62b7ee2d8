"""Work on all parts of a recording at once, each part in a process of its own.

The processes are forked when the recording has been read, so they share its lines, and each keeps what it
made of its part for its next work. The caller gets one answer from each, in the order of the parts. They end
with the caller, whatever ends it; what happens to one of them ends the others.
"""

from __future__ import annotations

import gc
import heapq
import mmap
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import click

from stream.recording.job_process import COUNTER, Answered, JobProcess
from stream.recording.part import Record
from stream.recording.recording import Recording

Answer = TypeVar("Answer")
Work = Callable[..., Answer]
"""A function of a module, called with a part and some arguments"""

GC_THRESHOLDS = (100_000, 50, 1_000)
"""For Python's garbage collector (gc.set_threshold). Profiles are millions of objects in no reference cycles;
with the defaults searching them took a tenth of a replay."""
POLL_S = 0.2
"""Seconds between two looks at how far the processes are."""
SMALL = 20_000
"""With fewer lines one process is as fast as several (bench/README.md)."""


class LostJobError(click.ClickException):
    """One of the processes was ended from outside; exit code 1."""

    exit_code = 1


class WorkTraceback(Exception):  # noqa: N818  # only the cause of another exception
    """Where in the other process an exception was raised, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Jobs(Protocol):
    """The parts of one recording."""

    @property
    def recording(self) -> Recording:
        """The recording."""

    def run(self, what: str, work: Work[Answer], *arguments: Any) -> list[Answer]:
        """The answer of `work(part, *arguments)` for each part; `what` is done, for those who watch."""

    def merged(self, kept: Sequence[Any]) -> Iterator[Record]:
        """What each part kept (`Part.keep`), in order of the keys."""


def jobs_of_machine() -> int:
    """As many as this process may use cores; 1 where it cannot safely be forked: only on Linux it can."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@contextmanager
def jobs_over(recording: Recording, count: int | None = None) -> Iterator[Jobs]:
    """The parts of a recording, `count` of them; by default as many as there are cores, 1 for a small one."""
    if count is None:
        count = jobs_of_machine() if len(recording) >= SMALL else 1
    with _rare_collections():
        if count == 1 or sys.platform != "linux":
            yield _OneJob(recording)
            return
        jobs = _Processes(recording)
        try:
            jobs.start(count)
            yield jobs
        finally:
            jobs.end()


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Within it an interrupt waits for the end, and is raised then.

    A mask of signals would not do it: BLAS has threads, which take the signal, and Python raises the
    interrupt in the main thread all the same. Raised in a hook of a fork it would be lost.
    """
    before, came = signal.getsignal(signal.SIGINT), list[int]()
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for reference cycles seldom, in this process and in those forked from it."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _OneJob:
    """The whole recording as one part, in this process."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self._part = recording, recording.part()

    def run(self, what: str, work: Work[Answer], *arguments: Any) -> list[Answer]:
        recording, part = self.recording, self._part
        part.left_out = recording.left_out
        with recording.shown(what, len(recording)) as part.advance:
            answer = work(part, *arguments)
        recording.aside.update(part.aside)
        return [answer]

    def merged(self, kept: Sequence[Iterable[Record]]) -> Iterator[Record]:
        yield from kept[0]


class _Processes:
    """One process for each part."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._processes: list[JobProcess] = []

    def start(self, count: int) -> None:
        """Fork the processes."""
        counters = mmap.mmap(-1, count * COUNTER.size)
        sys.stdout.flush()
        sys.stderr.flush()
        with interrupts_wait():  # until all are known, so that none is forgotten
            for job in range(count):
                part = self.recording.part(job, count)
                self._processes.append(JobProcess(part, counters, self._processes))

    def run(self, what: str, work: Work[Answer], *arguments: Any) -> list[Answer]:
        recording, processes = self.recording, self._processes
        answers: dict[int, Answer] = {}
        with recording.shown(what, len(recording)) as advance:
            for process in processes:
                process.tell(work, recording.left_out, arguments)
            shown = 0
            while len(answers) < len(processes):
                waiting = [process for job, process in enumerate(processes) if job not in answers]
                for process in self._ready(waiting):
                    answered = self._answer(process)
                    if answered.failure is not None:
                        raise answered.failure from WorkTraceback(answered.trace)
                    recording.aside.update(answered.aside)
                    answers[processes.index(process)] = answered.answer
                done = min(len(recording), sum(process.done for process in processes))
                advance(done - shown)
                shown = done
        return [answers[job] for job in range(len(processes))]

    def merged(self, kept: Sequence[Any]) -> Iterator[Record]:
        parts = [process.spill.read(span) for process, span in zip(self._processes, kept, strict=True)]
        return heapq.merge(*parts, key=itemgetter(0))

    def end(self) -> None:
        """End all processes, also when a second interrupt comes meanwhile."""
        with interrupts_wait():
            for process in self._processes:
                process.end()

    def _ready(self, processes: Sequence[JobProcess]) -> list[JobProcess]:
        """Those that have answered, or have ended."""
        handles = [handle for one in processes for handle in (one.connection, one.sentinel)]
        ready = wait(handles, POLL_S)
        return [one for one in processes if one.connection in ready or one.sentinel in ready]

    def _answer(self, process: JobProcess) -> Answered:
        try:
            if process.connection.poll():
                answered: Answered = process.connection.recv()
                return answered
        except (EOFError, ConnectionResetError):
            pass
        signal_number = process.ended_by()
        how = f"was ended by signal {signal_number}" if signal_number else "ended"
        why = " (out of memory?)" if signal_number == signal.SIGKILL else ""
        raise LostJobError(
            f"one of the {len(self._processes)} processes {how}{why}; --jobs 1 takes one, and least memory"
        )
