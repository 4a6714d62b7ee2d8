"""A command that SIGTERM or SIGHUP ends takes its unfinished files with it, as one that is interrupted does.

Supervisors, `timeout`, `docker stop` and closed terminals send them. Python would end at once: half of an
output would stay beside its place, and the copy of all customers that a page is made from in the folder of
temporary files. So the signal becomes an exception, files are put away on the way out, and then the signal
ends the process, as whoever sent it expects. A second one does not wait for that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 0.01


class EndedBySignal(SystemExit):
    """The process is to end by this signal, when what was begun is put away."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it, signals that end the process are exceptions first. What is ignored (`nohup`) stays so, and
    what a command does about signals itself (a worker, a server) comes before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _raise)
    try:
        with _none_is_lost():
            yield
    except EndedBySignal as end:
        os.kill(os.getpid(), end.number)
        raise
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _none_is_lost() -> Iterator[None]:
    """An interrupt, or the end by a signal, that comes where Python drops exceptions is raised again.

    It drops them in finalizers, callbacks of weak references (each import has one) and hooks of a fork.
    """
    if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        yield
        return
    dropped: list[BaseException] = []
    tell = sys.unraisablehook

    def note(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt | EndedBySignal):
            tell(unraisable)
            return
        dropped.append(unraisable.exc_value)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)

    def raise_again(_number: int, _frame: object) -> None:
        if dropped:
            raise dropped.pop()

    signal.signal(signal.SIGALRM, raise_again)
    sys.unraisablehook = note
    try:
        yield
    finally:
        sys.unraisablehook = tell
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _raise(number: int, _frame: object) -> None:
    for each in ENDING:
        if signal.getsignal(each) is _raise:
            signal.signal(each, signal.SIG_DFL)
    raise EndedBySignal(number)
