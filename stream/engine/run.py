"""Run an application as a worker process, until a signal ends it or it fails."""

from __future__ import annotations

import gc
import sys
from typing import Any

import faust

from stream.engine.app import EngineApp
from stream.engine.failure import exit_now

GC_THRESHOLDS = (5_000, 1, 10_000)
"""For Python's garbage collector (gc.set_threshold). Rows are many and in no reference cycles; with the
defaults searching all of them took 12% of the time. So the oldest generation is hardly ever searched, and the
young ones often and in small steps: 10 and 15 ms every second. (With 50,000 objects at once it was 75 ms
without an alert, with a million 0.2 s.)"""

SWITCH_S = 0.0005
"""For exactly once: how long a thread may keep Python's lock while others want it. The threads that end
transactions need it often and briefly. At half load the median alert took 85 and 100 ms with this, and 97 and
116 ms with Python's 5 ms. At least once gains nothing from it (bench/README.md)."""


def run(app: EngineApp[Any]) -> None:
    """Run until SIGTERM or SIGINT, then end the process. Its status is 0 or, after a failure, an `Exit`."""
    gc.freeze()  # what exists by now, mostly code, is never garbage
    gc.set_threshold(*GC_THRESHOLDS)
    if app.options.exactly_once:
        sys.setswitchinterval(SWITCH_S)
    worker = faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None  # it writes cursor codes to stdout, also where that is not a terminal
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if app.stuck:
            exit_now(int(end.code or 0))
        raise
