"""How far long work is, on standard error: a bar on a terminal, elsewhere a plain line now and then.

Where there is no terminal, nothing is printed about work that is done within PLAIN_EVERY_S. Work within other
work is shown in its place.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

UPDATE_EVERY = 2_000
"""Things done between two updates of the bar."""
PLAIN_EVERY_S = 10.0
"""Seconds between two plain lines."""

Advance = Callable[..., None]


@dataclass(eq=False)
class Task:
    """One piece of work: `done` of `total` things, where that is known."""

    what: str
    total: int | None = None
    done: int = 0
    began_s: float = field(default_factory=time.monotonic)

    def line(self, seconds: float) -> str:
        """`replaying: 120,000 of 400,000 (30%), 20 s, 6,000/s, 47 s left`; without what is not known."""
        parts = [f"{seconds:.0f} s"]
        if self.done:
            share = f" of {self.total:,} ({self.done / self.total:.0%})" if self.total else ""
            parts.insert(0, f"{self.done:,}{share}")
            if seconds:
                parts.append(f"{self.done / seconds:,.0f}/s")
            if seconds and self.total:
                parts.append(f"{max(0, self.total - self.done) * seconds / self.done:.0f} s left")
        return f"{self.what}: {', '.join(parts)}"

    def pace(self, now_s: float) -> str:
        """Things done a second since the begin, at a time of the monotonic clock: `6,000/s`."""
        seconds = now_s - self.began_s
        return f"{self.done / seconds:,.0f}/s" if seconds > 0 else ""


class PlainLines:
    """Prints a line about the innermost work every PLAIN_EVERY_S, from a thread of its own."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._ended = threading.Event()
        self._printer = threading.Thread(target=self._print_lines, name="progress", daemon=True)
        self._printer.start()

    def add(self, task: Task) -> Advance:
        """Show a task from now on; returns what to call for things done."""
        self._tasks.append(task)

        def advance(count: int = 1) -> None:
            task.done += count

        return advance

    def remove(self, task: Task) -> bool:
        """Show a task no more; whether it was the last."""
        self._tasks.remove(task)
        return not self._tasks

    def close(self) -> None:
        """Print no more."""
        self._ended.set()
        self._printer.join()

    def _print_lines(self) -> None:
        while not self._ended.wait(PLAIN_EVERY_S):
            for task in self._tasks[-1:]:
                print(task.line(time.monotonic() - task.began_s), file=sys.stderr, flush=True)


class Bars:
    """A bar for each piece of work, gone when the work is done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, TextColumn

        columns = (*Progress.get_default_columns(), TextColumn("{task.fields[pace]}"))
        self._bars: Any = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bars.start()
        self._numbers: dict[Task, Any] = {}

    def add(self, task: Task) -> Advance:
        """Show a task from now on; returns what to call for things done."""
        number = self._numbers[task] = self._bars.add_task(task.what, total=task.total, pace="")
        waiting = 0

        def advance(count: int = 1) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= UPDATE_EVERY:
                task.done += waiting
                self._bars.update(number, advance=waiting, pace=task.pace(time.monotonic()))
                waiting = 0

        return advance

    def remove(self, task: Task) -> bool:
        """Show a task no more; whether it was the last."""
        self._bars.remove_task(self._numbers.pop(task))
        return not self._numbers

    def close(self) -> None:
        self._bars.stop()


_displays: list[PlainLines | Bars] = []
"""The one that is shown, or none: two would write over each other."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Yields a function that is called after each thing done, or with the number of things done.

    `total`: things to do, None where it is not known. Work of which nothing can be counted need not call it.
    """
    if not _displays:
        _displays.append(Bars() if sys.stderr.isatty() else PlainLines())
    display, task = _displays[0], Task(what, total)
    try:
        yield display.add(task)
    finally:
        if display.remove(task):
            _displays.remove(display)
            display.close()
