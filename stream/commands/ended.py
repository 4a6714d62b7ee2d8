"""A command that SIGTERM or SIGHUP ends takes its unfinished files with it, as one that is interrupted does.

Supervisors, `timeout`, `docker stop` and closed terminals send them. Python would end at once: half of an
output would stay beside its place, and the copy of all customers that a page is made from in the folder of
temporary files. So the signal becomes an exception, files are put away on the way out, and then the signal
ends the process, as whoever sent it expects. A second one does not wait for that.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGTERM, signal.SIGHUP)


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
        yield
    except EndedBySignal as end:
        os.kill(os.getpid(), end.number)
        raise
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, _frame: object) -> None:
    for each in ENDING:
        if signal.getsignal(each) is _raise:
            signal.signal(each, signal.SIG_DFL)
    raise EndedBySignal(number)
