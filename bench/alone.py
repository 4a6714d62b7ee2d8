"""Measures of our own worker: recovery, memory and disk per customer, two workers, growing customers."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from statistics import median

from bench.processes import TICKS_PER_S, Program, usage
from bench.roster import ROSTER, Peer
from bench.stage import Stage, say
from bench.watch import Group, RunError
from bench.workload import Workload

OPEN_LINE = re.compile(r"lanes are open: partitions .*?, (\d+) rows recovered in ([0-9.]+) s")
OPEN_LIMIT_S = 180.0
"""A worker that has not opened its partitions by then has failed: recovery takes seconds."""
LOG_TO_READ = {"STREAM_LOG_LEVEL": "info", "STREAM_LOG_FORMAT": "json"}


def ours() -> Peer:
    """The peer `stream worker`."""
    return next(peer for peer in ROSTER if peer.name == "ours")


def rows_recovered(program: Program) -> tuple[int, float]:
    """How many rows the worker recovered, and in how many seconds; waits until it logs that."""
    until = time.monotonic() + OPEN_LIMIT_S
    while time.monotonic() < until:
        found = OPEN_LINE.search(program.log.read_text(errors="replace"))
        if found:
            return int(found[1]), float(found[2])
        if program.exit_code() is not None:
            break
        time.sleep(0.1)
    raise RunError(f"the worker did not open its partitions: {program.tail()}")


def bytes_per_customer(stage: Stage, customers: int) -> dict[str, float]:
    """Resident memory per customer with the memory store, above that of an idle worker; and recovery."""
    run = stage.prepare("memory")
    program = stage.start(ours(), run, LOG_TO_READ)
    try:
        rows_recovered(program)
        idle = usage(program.pid).rss_bytes
        stage.finish(run, program, ours().limit_s)
        full = usage(program.pid).rss_bytes
        program.stop()
        restarted = stage.start(ours(), run, LOG_TO_READ)
        try:
            rows, seconds = rows_recovered(restarted)
        finally:
            restarted.stop()
    finally:
        program.stop()
    say(f"{rows:,} rows recovered in {seconds:.2f} s")
    return {
        "memory": round((full - idle) / customers),
        "recovery_rows": rows,
        "recovery_rows_s": round(rows / seconds) if seconds else 0,
        "recovery_s_per_million": round(seconds / rows * 1e6, 2) if rows else 0.0,
    }


def bytes_on_disk(stage: Stage, customers: int) -> float:
    """Bytes per customer of the RocksDB store once the backlog is read."""
    run = stage.prepare("disk")
    program = stage.start(ours(), run, {"STREAM_STORE": "rocksdb"})
    try:
        stage.finish(run, program, ours().limit_s)
    finally:
        program.stop()
    files = [path for path in Path(stage.scratch, run).rglob("*") if path.is_file()]
    return round(sum(path.stat().st_size for path in files) / customers)


def scaling(stage: Stage, rounds: int = 1) -> dict[str, float]:
    """One worker and `stream worker --processes 2`, in turns; medians over the rounds.

    Events per second and per CPU second of the workers, the cores that the broker took (1 is one core), and
    the share of all cores' time that was not idle.
    """
    runs = [_several(stage, count) for _ in range(rounds) for count in (1, 2)]
    return {name: median(run[name] for run in runs if name in run) for name in {**runs[0], **runs[1]}}


def _several(stage: Stage, count: int) -> dict[str, float]:
    run = stage.prepare(f"scaling-{count}")
    command = [*ours().ready(), "--processes", str(count)]
    program = stage.start(Peer("ours", "several workers", lambda: command), run)
    group = Group(stage.bootstrap, run, stage.ends)
    try:
        began, broker, idle = _first_commit(group, program), _broker_cpu_s(stage), _idle_s()
        start, cpu = group.committed(), usage(program.pid).cpu_s
        while group.committed() < group.end and time.monotonic() - began < ours().limit_s:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        done, spent = group.committed() - start, usage(program.pid).cpu_s - cpu
        found = {
            "events_s": round(done / seconds),
            "events_per_cpu_s": round(done / spent) if spent else 0,
            "broker_cores": round((_broker_cpu_s(stage) - broker) / seconds, 2),
            "busy": round(1 - (_idle_s() - idle) / seconds / (os.cpu_count() or 1), 3),
        }
        say(f"{count} of them: {found}")
        return {f"workers_{count}_{name}": value for name, value in found.items()}
    finally:
        group.close()
        program.stop()


def _idle_s() -> float:
    """Seconds in which cores of this machine had nothing to do, waits for disks included, since its start."""
    fields = Path("/proc/stat").read_text().split(maxsplit=6)
    return (int(fields[4]) + int(fields[5])) / TICKS_PER_S


def _broker_cpu_s(stage: Stage) -> float:
    return usage(stage.broker_pid).cpu_s if stage.broker_pid else 0.0


def _first_commit(group: Group, program: Program) -> float:
    """Wait for the first commit; the monotonic time when it was seen."""
    until = time.monotonic() + 90
    while group.committed() == 0:
        if program.exit_code() is not None or time.monotonic() > until:
            raise RunError(f"nothing was committed: {program.tail()}")
        time.sleep(0.05)
    return time.monotonic()


def by_customers(stage: Stage, events: int, counts: tuple[int, ...]) -> dict[str, float]:
    """Events per second by number of customers; the store is on disk from a million customers on."""
    found: dict[str, float] = {}
    for customers in counts:
        stage.fill(Workload(events, customers))
        store = {"STREAM_STORE": "rocksdb"} if customers >= 1_000_000 else {}
        run = stage.measure(ours(), store)
        found[f"customers_{customers}_events_s"] = round(run.events_per_s)
        found[f"customers_{customers}_rss_mb"] = round(run.peak_rss_mb)
    return found
