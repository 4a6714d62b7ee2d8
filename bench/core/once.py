"""One run over a file of messages, with the speed of the machine at that moment: JSON on standard output.

    python -m bench.core.once messages.json 0

It measures the package `stream` that comes first on the path, which need not be that of this commit. The
second argument is how many lines of a profile (cProfile) to print on standard error, a third one the file of
the model that judges, in place of the shipped one.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from pathlib import Path

from msgspec import Struct, json

from bench.core.run import Costs, measure
from bench.workload import Message
from stream.core.judgement.basis import Basis
from stream.model_file import default_model, load_model
from stream.policy_file import default_policy

FLUSHES_PER_CUSTOMER = 4
"""Rows are encoded once per so many events: those of a quarter of the customers, one each."""
LOOP = 1_000_000
IDLE_LOOP_NS = 28.0
"""Nanoseconds of one iteration of `loop_ns` on the idle machine of bench/results; costs are scaled to it."""


class Measured(Struct):
    """One run."""

    costs: Costs
    loop_ns: float
    """Nanoseconds of an iteration before and after it, on average."""
    idle_total: float
    """`costs.total` scaled to an idle machine."""


def loop_ns() -> float:
    """Nanoseconds per iteration now: higher when other programs share the caches and cores."""
    began, total = time.process_time(), 0
    for number in range(LOOP):
        total += number
    return (time.process_time() - began) / LOOP * 1e9


def main(path: str, profile_lines: int, model: Path | None = None) -> None:
    """Measure, and print what was measured."""
    messages = json.decode(Path(path).read_bytes(), type=list[Message])
    customers = len({message.key for message in messages})
    basis = Basis(default_policy(), default_model() if model is None else load_model(model))
    profiler = cProfile.Profile()
    before = loop_ns()
    if profile_lines:
        profiler.enable()
    costs = measure(messages, basis, flush_every=max(1, customers // FLUSHES_PER_CUSTOMER))
    profiler.disable()
    machine_ns = (before + loop_ns()) / 2
    if profile_lines:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(profile_lines)
    scaled = round(costs.total * IDLE_LOOP_NS / machine_ns, 1)
    sys.stdout.write(json.encode(Measured(costs, round(machine_ns, 1), scaled)).decode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(Path, sys.argv[3:]))
