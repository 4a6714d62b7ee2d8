"""`make soak`: rounds of random faults under both guarantees, each checked by verifier.py.

Run: `python -m tests.faults.soak --crashes 200 --seed 100`. A line per round, a summary as the last line;
exit 1 when anything was violated, or a round had no input. A crash is one kill -9 or freeze of a worker, or
of the broker. `--long` runs T5, T9 and T13 at full length instead.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Any

from tests.faults.chaos import EVERY_FAULT, Run, chaos
from tests.faults.hardships import burst, slow_line, storm
from tests.faults.proxy import ProxiedBroker, Proxy
from tests.faults.workload import Shop
from tests.support.kafka_broker import Broker, start_broker

ROUND_S = 45
PAUSES_S = (0.2, 1.5)
SESSION_S = 4.0
GUARANTEES = ("at_least_once", "exactly_once")
RSS_GROWTH_MIB = 150
WEIGHTS = {"kill_broker": 1, "halt_broker": 1, "freeze": 3, "terminate": 2, "crowd": 2}
NAMES = tuple(name for name in EVERY_FAULT for _ in range(WEIGHTS.get(name, 4)))


def one_round(broker: Broker, directory: Path, guarantee: str, seed: int) -> tuple[int, list[str]]:
    """The number of crashes, and the violations."""
    chance = random.Random(seed)
    options: dict[str, Any] = {
        "guarantee": guarantee,
        "session_timeout_s": SESSION_S,
        "transaction_timeout_s": 15.0,
    }
    with Run(broker, f"soak{seed}-{guarantee[:2]}", directory, **options) as run:
        run.feed(Shop(run.prefix, seed, poison=0.01), seconds=ROUND_S, rate=600)
        chaos(run, chance, seconds=ROUND_S - 5, names=NAMES, pauses=PAUSES_S)
        return run.crashes, run.finish()


def long_ones(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """T5 with 40 rebalances, T9 for a minute, T13 with minutes of a slow line; under both guarantees."""
    broker = ProxiedBroker()
    broker.start()
    try:
        for guarantee, (name, hardship) in product(GUARANTEES, LONG.items()):
            prefix = f"{name.partition(' ')[0]}-{guarantee[:2]}"
            place = directory / prefix
            place.mkdir(parents=True, exist_ok=True)
            options: dict[str, Any] = {"guarantee": guarantee, "session_timeout_s": 6.0}
            with Run(broker, prefix, place, bootstraps={"one": broker.proxied_bootstrap}, **options) as run:
                hardship(run, broker.proxy)
                yield f"{name}, {guarantee}", run.finish()
    finally:
        broker.close()


def _slow_line(run: Run, proxy: Proxy) -> None:
    line = slow_line(run, proxy, "one", inputs=250_000, patience_s=600)
    if line.opened or line.grown_mib > RSS_GROWTH_MIB:
        run.wrong.append(f"T13 got partitions again {line.opened} times, grew by {line.grown_mib:.0f} MiB")


LONG: dict[str, Callable[[Run, Proxy], None]] = {
    "T5 40 rebalances": lambda run, _: storm(run, times=40, gap_s=5.0, backlog=100_000),
    "T9 1,000 bad a second": lambda run, _: burst(run, seconds=60),
    "T13 100 kB/s": _slow_line,
}


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crashes", type=int, default=200, help="go on until so many were survived")
    parser.add_argument("--seed", type=int, default=100, help="of the first round; each round takes the next")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no round after this time")
    parser.add_argument("--keep", type=Path, help="a directory for the workers' logs")
    parser.add_argument("--long", action="store_true", help="instead: T5, T9 and T13 at full length, once")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="soak-"))
    sys.exit(1 if (the_long_ones if arguments.long else random_rounds)(arguments, directory) else 0)


def print_violations(found: list[str]) -> None:
    """At most ten, shortened."""
    print("".join(f"    {each[:600]}\n" for each in found[:10]), end="", flush=True)


def the_long_ones(_: argparse.Namespace, directory: Path) -> int:
    """The number of violations."""
    wrong = 0
    for name, found in long_ones(directory):
        print(f"{name}: {len(found)} violations")
        print_violations(found)
        wrong += len(found)
    print(f"T5, T9 and T13 at full length, both guarantees: {wrong} violations of I1 to I10")
    return wrong


def random_rounds(arguments: argparse.Namespace, directory: Path) -> int:
    """The number of violations."""
    started, crashes, wrong, seed = time.monotonic(), 0, 0, arguments.seed
    broker = start_broker("jar")
    try:
        while crashes < arguments.crashes and time.monotonic() - started < arguments.minutes * 60:
            for guarantee in GUARANTEES:
                place = directory / f"{seed}-{guarantee}"
                place.mkdir(parents=True, exist_ok=True)
                survived, found = one_round(broker, place, guarantee, seed)
                crashes, wrong = crashes + survived, wrong + len(found)
                line = f"seed {seed} {guarantee}: {survived} crashes, {len(found)} violations"
                print(f"{(time.monotonic() - started) / 60:5.1f} min  {line}")
                print_violations(found)
            seed += 1
    except KeyboardInterrupt:
        print("interrupted: the round that was running does not count")
    finally:
        broker.close()
        rounds, minutes = (seed - arguments.seed) * 2, (time.monotonic() - started) / 60
        line = (
            f"{crashes} crashes in {rounds} rounds, seeds {arguments.seed} to {seed - 1}, {minutes:.0f} min"
        )
        print(f"soak, both guarantees: {line}: {wrong} violations of I1 to I10")
    return wrong


if __name__ == "__main__":
    main()
