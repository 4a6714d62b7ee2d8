"""A run with faults: input keeps coming, workers are hurt, whoever dies starts again; then the reckoning."""

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
from tests.faults.watch import HEAL_S, Watch
from tests.faults.workers import PARTITIONS, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

QUIET_S = 3
FEEDER_LATE_S = 90
ROWS_AT_ONCE = 5
RIGHT_TO_LEAVE = {0, int(Exit.PRODUCER), int(Exit.FENCED), -signal.SIGTERM, -signal.SIGKILL}


class Run:
    """Two workers under fire. Use as a context; `finish` says what went wrong."""

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
        if name == "two":  # a commit of it takes seconds, and waits for rows all the while
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
        """Input in the background, about `rate` a second. `heal` says so when it came to a bad end."""

        def playing() -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not self._stop.is_set():
                started = time.monotonic()
                try:
                    self.count += produce(self.broker.bootstrap, shop.inputs(rate // 4))
                except Exception as failure:
                    self.wrong.append(f"the feeder died after {self.count} inputs: {failure!r}")
                    return
                time.sleep(max(0.0, 0.25 - (time.monotonic() - started)))

        thread = threading.Thread(target=playing, daemon=True)
        thread.start()
        self._feeders.append(thread)
        self._fed = self._fed or seconds > 0
        return thread

    def await_feeders(self, late_s: float = FEEDER_LATE_S) -> None:
        """Without input there is nothing to lose: a feeder that stopped short proves nothing."""
        for feeder in self._feeders:
            feeder.join(late_s)
            if feeder.is_alive():
                self.wrong.append(f"the feeder hangs after {self.count} inputs")
        if self._fed and not self.count:
            self.wrong.append("the feeder brought nothing")

    def nurse(self) -> None:
        """Whoever left is started again, as an orchestrator would; leaving for a bug is a violation."""
        for name, worker in list(self.workers.items()):
            if worker.running:
                continue
            if worker.process.returncode not in RIGHT_TO_LEAVE:
                self.wrong.append(
                    f"I9 worker {name} left with {worker.process.returncode}: {worker.last_words()}"
                )
            self.start(name)

    def _settle_down(self) -> None:
        """Who was overwritten by a worker that woke up late notices it soon, and mends it when it starts."""
        quiet_since = started = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S:
            if not all(worker.running and worker.times_open for worker in self.workers.values()):
                quiet_since = time.monotonic()
            if time.monotonic() - started > HEAL_S:
                self.wrong.append(f"I9 the workers do not settle down in {HEAL_S} s")
                return
            self.nurse()
            time.sleep(0.2)

    def lose_disk(self, name: str) -> None:
        shutil.rmtree(self.directory / f"{name}.rows", ignore_errors=True)

    def finish(self) -> list[str]:
        """Everything healed, and the reckoning."""
        self.heal()
        group = f"{self.prefix}-app"
        return self.wrong + violations(
            self.broker.bootstrap, self.prefix, group, exactly_once=self.exactly_once
        )

    def heal(self) -> None:
        """Wait for the end of the input (T16) and stop the workers."""
        self.await_feeders()
        self.wrong += Watch(self.broker.bootstrap, self.prefix, PARTITIONS).until_done(self.nurse)
        if self.zombies and not self.exactly_once:
            self._settle_down()
        running = {name: worker for name, worker in self.workers.items() if worker.running}
        for worker in running.values():
            worker.terminate()
        for name, worker in running.items():
            if (status := worker.process.wait(60)) not in RIGHT_TO_LEAVE:
                self.wrong.append(f"worker {name} stopped with {status}: {worker.last_words()}")


def kill(run: Run, name: str, _chance: random.Random) -> None:
    """T1, T3: SIGKILL; the next life finds the same disk."""
    run.workers[name].kill()
    run.crashes += 1


def kill_both(run: Run, _name: str, _chance: random.Random) -> None:
    """T1: nobody is left; who comes back comes back alone."""
    for worker in run.workers.values():
        worker.kill()
        run.crashes += 1


def kill_and_lose_disk(run: Run, name: str, _chance: random.Random) -> None:
    """T2."""
    run.workers[name].kill()
    run.lose_disk(name)
    run.crashes += 1


def kill_broker(run: Run, _name: str, chance: random.Random) -> None:
    """T4: SIGKILL, and back after a moment."""
    run.broker.kill()
    time.sleep(chance.uniform(0.0, 2.0))
    run.broker.start()
    run.crashes += 1


def halt_broker(run: Run, _name: str, chance: random.Random) -> None:
    """T4: SIGSTOP, shorter than a session or longer."""
    run.broker.pause()
    time.sleep(chance.choice((2, 8)))
    run.broker.resume()
    run.crashes += 1


def terminate(run: Run, name: str, _chance: random.Random) -> None:
    """T7, T14."""
    status = run.workers[name].stop()
    if status not in RIGHT_TO_LEAVE:
        run.wrong.append(f"T14 worker {name} stopped with {status}")


def freeze(run: Run, name: str, chance: random.Random) -> None:
    """T6: as long as half a session, or much longer than one; somebody else may take over meanwhile."""
    run.workers[name].send(signal.SIGSTOP)
    time.sleep(chance.choice((2, 8)))
    run.workers[name].send(signal.SIGCONT)
    run.crashes += 1
    run.zombies += 1


def crowd(run: Run, _name: str, _chance: random.Random) -> None:
    """T5: a third worker comes and goes."""
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
    """Random faults, some seconds apart. (`crowd` takes its time: a third worker comes and goes.)"""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(*pauses))
        run.nurse()
        EVERY_FAULT[chance.choice(names)](run, chance.choice(("one", "two")), chance)
        run.nurse()
