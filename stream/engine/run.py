"""A worker's process: started, run until a signal, ended with a status."""

from __future__ import annotations

import gc
import sys
from typing import Any

import faust

from stream.engine.app import EngineApp
from stream.engine.failure import leave

GC_THRESHOLDS = (5_000, 1, 10_000)
"""Rows are many and in no cycles: looking through all of them again and again took 12% of the time. What is
new is looked at twice, a little at a time: 10 and 15 ms every second. (50,000 objects at once were 75 ms
without an alert, and those of twenty times that 0.2 s.)"""

SWITCH_S = 0.0005
"""How long a thread that waits for Python's lock lets another one run. The threads that end a transaction ask
for it again and again: with Python's 5 ms alerts took 97 and 116 ms at half load (median), so 85 and 100.
at_least_once gains nothing by it (bench/README.md)."""


def run(app: EngineApp[Any]) -> None:
    """Run as a worker until SIGTERM or SIGINT; ends the process. A failure exits with its own code."""
    gc.freeze()  # code and modules: never garbage
    gc.set_threshold(*GC_THRESHOLDS)
    if app.options.exactly_once:
        sys.setswitchinterval(SWITCH_S)
    worker = faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None  # it writes "OK ^" and cursor codes to stdout, also where that is no terminal
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if app.stuck:
            leave(int(end.code or 0))
        raise
