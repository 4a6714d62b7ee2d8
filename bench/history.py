"""Seconds, CPU seconds and memory of the studies of a long history, at several sizes of it.

The history is the bench's own workload over two years, 50 events a customer; so ten million events are those
of 200,000 customers. Every study runs in a process of its own that starts as many as it has `--jobs`. Memory
is the largest sum of what the processes of one study hold at a time; pages that they share after a fork count
once for each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.jobs import ROOT
from bench.processes import Program, usage
from bench.stage import LOGS, say
from bench.workload import Workload, messages

SPAN_DAYS = 730
EVENTS_PER_CUSTOMER = 50
STUDIES = {
    "replay": ("replay", "events.jsonl", "--profiles", "profiles", "--alerts", "alerts"),
    "fit": ("fit", "events.jsonl", "--out", "model"),
    "backtest": ("backtest", "events.jsonl", "--split", "2016-09-01", "--horizon", "13w", "--report", "page"),
    "report": ("report", "events.jsonl", "--out", "page"),
}
LOOK_S = 0.2


def written(folder: Path, events: int) -> Path:
    """The history as a file of events."""
    path = folder / "events.jsonl"
    workload = Workload(events, max(100, events // EVENTS_PER_CUSTOMER), span_days=SPAN_DAYS)
    with path.open("wb") as out:
        for message in messages(workload):
            out.write(message.value + b"\n")
    return path


def run(study: str, folder: Path, jobs: int) -> dict[str, float]:
    """One study over the history in a folder: seconds by the wall and of CPU, and MiB at most."""
    environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "stream", *STUDIES[study], "--now", "2020-01-01", "--jobs", str(jobs)]
    began, peak, cpu_s = time.monotonic(), 0, 0.0
    program = Program(["env", "-C", str(folder), *command], environment, LOGS / f"history-{study}.log")
    try:
        while program.exit_code() is None:
            used = usage(program.pid)
            peak, cpu_s = max(peak, used.rss_bytes), max(cpu_s, used.cpu_s)
            time.sleep(LOOK_S)
        if program.exit_code():
            raise subprocess.CalledProcessError(program.exit_code() or 1, command, program.tail())
    finally:
        program.kill()
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_s": round(cpu_s, 1),
        "peak_mib": round(peak / 2**20),
    }


def measured(sizes: Sequence[int], studies: Sequence[str], jobs: int) -> dict[str, Any]:
    """Every study at every size: what it took, and microseconds of CPU per event."""
    result: dict[str, Any] = {"jobs": jobs}
    for events in sizes:
        with tempfile.TemporaryDirectory(prefix="stream-bench-history-") as name:
            folder = Path(name)
            written(folder, events)
            say(f"{events:,} events written")
            for study in studies:
                found = run(study, folder, jobs)
                found["us_per_event"] = round(found["cpu_s"] / events * 1e6, 1)
                result.setdefault(study, {})[str(events)] = found
                say(f"{study}, {events:,} events: {found}")
    return result
