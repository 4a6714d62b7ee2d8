"""A run with faults: input keeps coming, workers and broker are hurt, who exits is started again; in the end
the result is compared with what the input says (verifier.py).
"""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.engine.failure import Exit
from tests.faults.verifier import violations
from tests.faults.watch import RECOVERY_S, Watch
from tests.faults.workers import PARTITIONS, Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

STABLE_S = 3
"""After a zombie woke up, no worker may exit for so long: writes of others are noticed within a second."""
FEEDER_LATE_S = 90
ROWS_AT_ONCE = 5
MOVING = 1_000
"""So many inputs committed from now on show that the workers are in the middle of their work."""
ALLOWED_EXITS = {0, int(Exit.PRODUCER), int(Exit.FENCED), -signal.SIGTERM, -signal.SIGKILL}


class Run:
    """Two workers and what happens to them. Use as a context; `finish` returns what went wrong."""

    def __init__(
        self,
        broker: Broker,
        prefix: str,
        directory: Path,
        *,
        topics: bool = True,
        clocks: dict[str, int] | None = None,
        bootstraps: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.broker = broker
        self.prefix = prefix
        self.directory = directory
        self.options = options
        self.exactly_once = options.get("guarantee") == "exactly_once"
        self.workers: dict[str, ToyWorker] = {}
        self.wrong: list[str] = []
        self.count = 0
        self.crashes = 0
        self.zombies = 0
        self._stop = threading.Event()
        self._feeders: list[threading.Thread] = []
        self._fed = False
        self._clocks = clocks or {}
        self._bootstraps = bootstraps or {}
        if topics:
            make_topics(broker.bootstrap, prefix)

    def start(self, name: str, **more: Any) -> ToyWorker:
        how = {"store": str(self.directory / f"{name}.rows"), **self.options, **more}
        if name == "two":  # few rows in each flush: its commits take seconds, with rows ahead of the offsets
            how["rows_at_once"] = ROWS_AT_ONCE
        if name in self._clocks:
            how["clock_offset_s"] = self._clocks[name]
        bootstrap = self._bootstraps.get(name, self.broker.bootstrap)
        worker = ToyWorker(bootstrap, self.prefix, self.directory / f"{name}.log", **how)
        self.workers[name] = worker
        return worker

    def __enter__(self) -> Run:
        for name in ("one", "two"):
            self.start(name)
        for worker in self.workers.values():
            worker.wait_until_owner(PARTITIONS // len(self.workers))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for worker in self.workers.values():
            worker.kill()

    def feed(self, shop: Shop, seconds: float, rate: int = 1_000) -> threading.Thread:
        """Input in the background, about `rate` a second. `wind_down` reports a feeder that failed."""

        def playing() -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not self._stop.is_set():
                started = time.monotonic()
                try:
                    self.count += produce(self.broker.bootstrap, shop.inputs(rate // 4))
                except Exception as failure:
                    self.wrong.append(f"the feeder died after {self.count} inputs: {failure!r}")
                    return
                time.sleep(max(0.0, 0.25 - (time.monotonic() - started)))  # the rate

        thread = threading.Thread(target=playing, daemon=True)
        thread.start()
        self._feeders.append(thread)
        self._fed = self._fed or seconds > 0
        return thread

    def until_committed(self, more: int = MOVING) -> None:
        """Wait until the group has committed so many more inputs than now, or the feeders have ended."""
        progress = Progress(self.broker.bootstrap, self.prefix)
        target = progress.now() + more
        while progress.committed() < target and any(feeder.is_alive() for feeder in self._feeders):
            time.sleep(0.1)
        progress.close()

    def await_feeders(self, late_s: float = FEEDER_LATE_S) -> None:
        """A feeder that stopped early is a violation: without input nothing can be lost."""
        for feeder in self._feeders:
            feeder.join(late_s)
            if feeder.is_alive():
                self.wrong.append(f"the feeder hangs after {self.count} inputs")
        if self._fed and not self.count:
            self.wrong.append("the feeder brought nothing")

    def restart_exited(self) -> None:
        """Start workers that exited again, as an orchestrator would. An exit for a bug is a violation."""
        for name, worker in list(self.workers.items()):
            if worker.running:
                continue
            if worker.process.returncode not in ALLOWED_EXITS:
                self.wrong.append(
                    f"I9 worker {name} exited with {worker.process.returncode}: {worker.last_log_lines()}"
                )
            self.start(name)

    def _wait_until_stable(self) -> None:
        """A worker that finds rows of a zombie in its changelog exits, and repairs them when it starts."""
        stable_since = started = time.monotonic()
        while time.monotonic() - stable_since < STABLE_S:
            if not all(worker.running and worker.times_open for worker in self.workers.values()):
                stable_since = time.monotonic()
            if time.monotonic() - started > RECOVERY_S:
                self.wrong.append(f"I9 the workers still exit after {RECOVERY_S} s")
                return
            self.restart_exited()
            time.sleep(0.2)

    def lose_disk(self, name: str) -> None:
        shutil.rmtree(self.directory / f"{name}.rows", ignore_errors=True)

    def finish(self) -> list[str]:
        """What went wrong, once all faults are over and all input is read."""
        self.wind_down()
        group = f"{self.prefix}-app"
        return self.wrong + violations(
            self.broker.bootstrap, self.prefix, group, exactly_once=self.exactly_once
        )

    def wind_down(self) -> None:
        """Wait until all input is committed (T16) and stop the workers."""
        self.await_feeders()
        self.wrong += Watch(self.broker.bootstrap, self.prefix, PARTITIONS).until_done(self.restart_exited)
        if self.zombies and not self.exactly_once:
            self._wait_until_stable()
        running = {name: worker for name, worker in self.workers.items() if worker.running}
        for worker in running.values():
            worker.terminate()
        for name, worker in running.items():
            if (status := worker.process.wait(60)) not in ALLOWED_EXITS:
                self.wrong.append(f"worker {name} stopped with {status}: {worker.last_log_lines()}")


def kill(run: Run, name: str, _chance: random.Random) -> None:
    """T1, T3: SIGKILL; the next process finds the same disk."""
    run.workers[name].kill()
    run.crashes += 1


def kill_both(run: Run, _name: str, _chance: random.Random) -> None:
    """T1: no worker is left; the first one to come back is alone."""
    for worker in run.workers.values():
        worker.kill()
        run.crashes += 1


def kill_and_lose_disk(run: Run, name: str, _chance: random.Random) -> None:
    """T2: SIGKILL, and the rows on disk are gone."""
    run.workers[name].kill()
    run.lose_disk(name)
    run.crashes += 1


def kill_broker(run: Run, _name: str, chance: random.Random) -> None:
    """T4: SIGKILL; started again after a random moment."""
    run.broker.kill()
    time.sleep(chance.uniform(0.0, 2.0))
    run.broker.start()
    run.crashes += 1


def halt_broker(run: Run, _name: str, chance: random.Random) -> None:
    """T4: SIGSTOP, for less than a session or more: the time itself is the fault."""
    run.broker.pause()
    time.sleep(chance.choice((2, 8)))
    run.broker.resume()
    run.crashes += 1


def terminate(run: Run, name: str, _chance: random.Random) -> None:
    """T7, T14: SIGTERM, an orderly stop."""
    status = run.workers[name].stop()
    if status not in ALLOWED_EXITS:
        run.wrong.append(f"T14 worker {name} stopped with {status}")


def freeze(run: Run, name: str, chance: random.Random) -> None:
    """T6: SIGSTOP, for half a session or two: the time itself is the fault. The other one may take over."""
    run.workers[name].send(signal.SIGSTOP)
    time.sleep(chance.choice((2, 8)))
    run.workers[name].send(signal.SIGCONT)
    run.crashes += 1
    run.zombies += 1


def crowd(run: Run, _name: str, _chance: random.Random) -> None:
    """T5: a third worker comes and goes, whatever it has come to by then: so a time, not a condition."""
    third = run.start("three")
    time.sleep(5)
    third.kill()
    run.crashes += 1
    del run.workers["three"]


FAULTS: dict[str, Callable[[Run, str, random.Random], None]] = {
    "kill": kill,
    "kill_both": kill_both,
    "kill_and_lose_disk": kill_and_lose_disk,
    "terminate": terminate,
    "freeze": freeze,
    "crowd": crowd,
}
BROKER_FAULTS = {"kill_broker": kill_broker, "halt_broker": halt_broker}
EVERY_FAULT = {**FAULTS, **BROKER_FAULTS}


def chaos(
    run: Run,
    chance: random.Random,
    seconds: float,
    names: tuple[str, ...],
    pauses: tuple[float, float] = (0.5, 4.0),
) -> None:
    """Random faults at random times, `pauses` seconds apart (`crowd` alone takes five seconds)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(*pauses))
        run.restart_exited()
        EVERY_FAULT[chance.choice(names)](run, chance.choice(("one", "two")), chance)
        run.restart_exited()
