"""A counter on the terminal while something long runs; silent where standard error is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 2_000


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Yields a function to be called once for each thing done, or with how many were done."""
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
            if waiting >= EVERY:
                bar.update(task, advance=waiting)
                waiting = 0

        yield advance
