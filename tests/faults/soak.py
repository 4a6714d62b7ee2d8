"""`make soak`: round after round of random faults under both guarantees, each reckoned by the verifier.

Run: `python -m tests.faults.soak --crashes 200 --seed 100`. A line per round, a summary as the last line;
exit 1 when anything was violated. A crash is one kill -9 or freeze of a worker, or of the broker.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from tests.faults.chaos import EVERY_FAULT, Run, chaos
from tests.faults.workload import Shop
from tests.kafka_broker import Broker, start_broker

ROUND_S = 45
PAUSES_S = (0.2, 1.5)
SESSION_S = 4.0
GUARANTEES = ("at_least_once", "exactly_once")
WEIGHTS = {"kill_broker": 1, "halt_broker": 1, "freeze": 3, "terminate": 2, "crowd": 2}
NAMES = tuple(name for name in EVERY_FAULT for _ in range(WEIGHTS.get(name, 4)))


def one_round(broker: Broker, directory: Path, guarantee: str, seed: int) -> tuple[int, list[str]]:
    """Crashes and violations."""
    chance = random.Random(seed)
    options = {"guarantee": guarantee, "session_timeout_s": SESSION_S, "transaction_timeout_s": 15.0}
    with Run(broker, f"soak{seed}-{guarantee[:2]}", directory, **options) as run:
        run.feed(Shop(run.prefix, seed, poison=0.01), seconds=ROUND_S, rate=600)
        chaos(run, chance, seconds=ROUND_S - 5, names=NAMES, pauses=PAUSES_S)
        return run.crashes, run.finish()


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
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    started, crashes, wrong, seed = time.monotonic(), 0, 0, arguments.seed
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="soak-"))
    broker = start_broker("jar")
    try:
        while crashes < arguments.crashes and time.monotonic() - started < arguments.minutes * 60:
            for guarantee in GUARANTEES:
                place = directory / f"{seed}-{guarantee}"
                place.mkdir(parents=True, exist_ok=True)
                survived, found = one_round(broker, place, guarantee, seed)
                crashes, wrong = crashes + survived, wrong + len(found)
                told = f"seed {seed} {guarantee}: {survived} crashes, {len(found)} violations"
                print(f"{(time.monotonic() - started) / 60:5.1f} min  {told}")
                print("".join(f"    {each[:600]}\n" for each in found[:10]), end="", flush=True)
            seed += 1
    except KeyboardInterrupt:
        print("interrupted: the round under way does not count")
    finally:
        broker.close()
        rounds, minutes = (seed - arguments.seed) * 2, (time.monotonic() - started) / 60
        told = (
            f"{crashes} crashes in {rounds} rounds, seeds {arguments.seed} to {seed - 1}, {minutes:.0f} min"
        )
        print(f"soak, both guarantees: {told}: {wrong} violations of I1 to I10")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
