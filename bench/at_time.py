"""Run `stream` with a wall clock that is off: `python bench/at_time.py OFFSET_S worker ...`.

So that a worker lives through the beginning of a month whatever day it is.
"""

from __future__ import annotations

import runpy
import sys
import time

NS_PER_S = 1_000_000_000


def run_with(offset_s: float) -> None:
    """Set the clock of this process, and run the command that is left in `sys.argv`."""
    right_s, right_ns, offset_ns = time.time, time.time_ns, int(offset_s * NS_PER_S)
    time.time = lambda: right_s() + offset_s
    time.time_ns = lambda: right_ns() + offset_ns
    runpy.run_module("stream", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    offset_s = float(sys.argv.pop(1))
    run_with(offset_s)
