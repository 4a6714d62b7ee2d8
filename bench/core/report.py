"""The CPU costs of the core as text and numbers, with the speed of the machine at that moment."""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from typing import Any

import msgspec

from bench.core.run import Costs, measure
from bench.workload import Workload, messages
from stream.core.judgement.basis import Basis
from stream.model_file import default_model
from stream.policy_file import default_policy

LOOP = 1_000_000
IDLE_LOOP_NS = 28.0
"""Nanoseconds of one iteration of `loop_ns` on the idle machine of bench/results; costs are scaled to it."""


def loop_ns() -> float:
    """Nanoseconds per iteration now: higher when other programs share the caches and cores."""
    began, total = time.process_time(), 0
    for number in range(LOOP):
        total += number
    return (time.process_time() - began) / LOOP * 1e9


def report(events: int, customers: int, lines: int) -> dict[str, Any]:
    """Measure and print a table; returns the numbers. `idle_total` is the total scaled to an idle machine."""
    basis = Basis(default_policy(), default_model())
    workload = list(messages(Workload(events, customers)))
    profiler = cProfile.Profile()
    before = loop_ns()
    if lines:
        profiler.enable()
    costs = measure(workload, basis, flush_every=max(1, customers // 4))
    profiler.disable()
    machine_ns = (before + loop_ns()) / 2
    if lines:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(lines)
    sys.stdout.write(text(costs))
    return {
        **msgspec.to_builtins(costs),
        "loop_ns": round(machine_ns, 1),
        "idle_total": round(costs.total * IDLE_LOOP_NS / machine_ns, 1),
    }


def text(costs: Costs) -> str:
    """One line per part, then one line per event type."""
    rows = [
        f"{name:<10}{getattr(costs, name):8.2f} us/event" for name in ("decode", "step", "reviews", "encode")
    ]
    rows.append(f"{'total':<10}{costs.total:8.2f} us/event")
    rows.append(f"{'type':<24}{'events':>8}{'decode us':>11}{'step us':>9}")
    for name, (count, decode_us, step_us) in costs.by_type.items():
        rows.append(f"{name:<24}{count:>8}{decode_us:>11.2f}{step_us:>9.2f}")
    return "\n".join(rows) + "\n"
