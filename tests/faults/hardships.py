"""T5, T9 and T13 of any length: some seconds in `make test`, full length in `make soak ARGS=--long`."""

from __future__ import annotations

import time
from typing import NamedTuple

from tests.faults.chaos import Run
from tests.faults.proxy import Proxy
from tests.faults.watch import Watch
from tests.faults.workers import PARTITIONS
from tests.faults.workload import Shop, produce

POISON_RATE = 1_000
LINE_BYTES_PER_S = 100_000


def storm(run: Run, times: int, gap_s: float, backlog: int) -> None:
    """T5: a third worker comes and goes, killed or stopped; each time the changelog is read again.

    It goes after `gap_s`, whatever it has come to by then: so a time, not a condition.
    """
    shop = Shop(run.prefix, 5)
    run.count += produce(run.broker.bootstrap, shop.inputs(backlog))
    feeding = run.feed(shop, seconds=times * gap_s * 2)
    for number in range(times):
        third = run.start("three")
        time.sleep(gap_s)
        if number % 2:
            third.kill()
        elif (status := third.stop()) < 0 and third.times_open:
            run.wrong.append(f"T5 the third worker got SIGTERM, and ended with {status}")
        run.crashes += 1
        del run.workers["three"]
        run.restart_exited()
    feeding.join()


def burst(run: Run, seconds: float) -> None:
    """T9: a thousand records a second that cannot be decoded, beside good events."""
    good = run.feed(Shop(run.prefix, 9), seconds, rate=400)
    bad = run.feed(Shop(run.prefix, 90, poison=1.0), seconds, rate=POISON_RATE)
    for feeding in (good, bad):
        feeding.join()


class Line(NamedTuple):
    """A worker on a slow line: how often it was given partitions, and how much its memory grew."""

    opened: int
    grown_mib: float


def slow_line(run: Run, proxy: Proxy, name: str, inputs: int, patience_s: float) -> Line:
    """T13: one worker's line carries 100 kB/s in each direction, and there is more to read than that."""
    worker = run.workers[name]
    opened, before, grown = worker.times_open, worker.rss_mib(), 0.0
    proxy.bytes_per_s = LINE_BYTES_PER_S
    try:
        run.count += produce(run.broker.bootstrap, Shop(run.prefix, 13).inputs(inputs))

        def look() -> None:
            nonlocal grown
            run.restart_exited()
            grown = max(grown, worker.rss_mib() - before if worker.running else 0.0)

        run.wrong += Watch(run.broker.bootstrap, run.prefix, PARTITIONS).until_done(look, patience_s)
    finally:
        proxy.bytes_per_s = None
    return Line(worker.times_open - opened, grown)
