"""A progress counter on the terminal (standard error) during long work; nothing where it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

UPDATE_EVERY = 2_000
"""Things done between two updates of the display."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Yields a function that is called after each thing done, or with the number of things done."""
    if not sys.stderr.isatty():
        yield lambda count=1: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task, waiting = bar.add_task(what, total=total), 0

        def advance(count: int = 1) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= UPDATE_EVERY:
                bar.update(task, advance=waiting)
                waiting = 0

        yield advance
