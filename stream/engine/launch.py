"""A worker's process: started, run until a signal, ended with a status."""

from __future__ import annotations

import gc
from typing import Any

import faust

from stream.engine.app import EngineApp
from stream.engine.failure import leave

GC_THRESHOLD = 50_000
"""Rows are many and in no cycles: looking through them at Python's own pace took 12% of the time."""


def run(app: EngineApp[Any]) -> None:
    """Run as a worker until SIGTERM or SIGINT; ends the process. A failure exits with its own code."""
    gc.freeze()  # code and modules: never garbage
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    worker = faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None  # it writes "OK ^" and cursor codes to stdout, also where that is no terminal
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if app.stuck:
            leave(int(end.code or 0))
        raise
