"""The rows of logs, worked out log by log in several processes and shown as soon as a log is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import chain
from typing import TypeVar

from bench.right.logs import Log, LogUnavailableError
from stream.analysis.fit_recording import NoPurchasesError
from stream.fit.purchases.processes import UnfitError

Row = TypeVar("Row")


def gathered(
    chosen: Sequence[Log],
    rows_of: Callable[[Log], list[Row]],
    line: Callable[[Row], str],
    jobs: int,
    show: Callable[[str], None],
) -> tuple[list[Row], dict[str, str]]:
    """The rows of these logs, in their order; and of logs that cannot be judged here, why.

    `rows_of` works in another process; `show` gets the lines of a log's rows as soon as it is judged, and in
    the end a line for each log that is missing.
    """
    rows: dict[str, list[Row]] = {log.name: [] for log in chosen}
    missing: dict[str, str] = {}
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(rows_of, log): log.name for log in chosen}
        for done in as_completed(waiting):
            name = waiting[done]
            try:
                rows[name] = done.result()
            except (LogUnavailableError, NoPurchasesError, UnfitError) as problem:
                missing[name] = str(problem)
                continue
            show("\n".join(map(line, rows[name])))
    for name, why in missing.items():
        show(f"{name}: not here ({why})")
    return list(chain.from_iterable(rows.values())), missing
