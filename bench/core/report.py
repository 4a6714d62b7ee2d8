"""The CPU costs of the core as text and numbers, for each history, and in turns with another commit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import json

from bench.core.histories import HISTORIES, MODELS, ROOT, Sizes
from bench.core.once import Measured
from bench.core.run import Costs
from bench.import_speed import code_of

PARTS = ("decode", "step", "reviews", "encode", "total")


def once(code: Path, messages: Path, profile_lines: int, model: Path | None) -> Measured:
    """Measure the code in a folder on a file of messages, in a process of its own; `model` judges."""
    command = [sys.executable, "-m", "bench.core.once", str(messages), str(profile_lines)]
    command += [] if model is None else [str(model)]
    environment = {**os.environ, "PYTHONPATH": f"{code}{os.pathsep}{ROOT}"}
    answer = subprocess.run(command, cwd=code, env=environment, check=True, stdout=subprocess.PIPE)
    return json.decode(answer.stdout, type=Measured)


def report(
    chosen: Sequence[str], sizes: Sizes, rounds: int, before: str | None, profile_lines: int
) -> dict[str, Any]:
    """Measure and print a table for each history; the fastest run of each code, and their ratio.

    Other programs on the machine only add to a run, so the fastest of several says most. `ratio`: the median
    over the rounds of `total` now over `total` of the commit `before`.
    """
    result: dict[str, Any] = {"rounds": rounds}
    with tempfile.TemporaryDirectory(prefix="stream-bench-core-") as name:
        folder = Path(name)
        codes = {"now": ROOT}
        if before is not None:
            (folder / "before").mkdir()
            codes["before"] = code_of(before, folder / "before")
        for history in chosen:
            messages = folder / f"{history}.json"
            messages.write_bytes(json.encode(HISTORIES[history](sizes, folder)))
            model = MODELS[history](folder) if history in MODELS else None
            measure = partial(once, messages=messages, profile_lines=profile_lines, model=model)
            result[history] = summary(history, in_turns(codes, rounds, measure))
    return result


def in_turns(
    codes: Mapping[str, Path], rounds: int, measure: Callable[[Path], Measured]
) -> dict[str, list[Measured]]:
    """Each code once a round. A commit `before` that cannot do it (it may not know the model) is left out."""
    runs: dict[str, list[Measured]] = {which: [] for which in codes}
    for _ in range(rounds):
        for which in tuple(runs):
            try:
                runs[which].append(measure(codes[which]))
            except subprocess.CalledProcessError:
                if which == "now":
                    raise
                sys.stderr.write("bench: the other commit cannot do this history: measured without it\n")
                del runs[which]
    return runs


def summary(history: str, runs: dict[str, list[Measured]]) -> dict[str, Any]:
    """The numbers of one history, and its table on standard output."""
    found: dict[str, Any] = {}
    for which, several in runs.items():
        fastest = min(several, key=lambda run: run.costs.total)
        sys.stdout.write(f"{history}, {which}: the fastest of {len(several)}\n{text(fastest.costs)}")
        parts = {part: round(getattr(fastest.costs, part), 2) for part in PARTS}
        sizes = {"row_bytes": round(fastest.costs.row_bytes), "alerts": fastest.costs.alerts}
        found[which] = {**parts, **sizes, "loop_ns": fastest.loop_ns, "idle_total": fastest.idle_total}
    if "before" in runs:
        pairs = zip(runs["now"], runs["before"], strict=True)
        found["ratio"] = round(median(now.costs.total / then.costs.total for now, then in pairs), 3)
    return found


def text(costs: Costs) -> str:
    """One line per part, then one line per event type."""
    rows = [f"{part:<10}{getattr(costs, part):8.2f} us/event" for part in PARTS]
    rows.append(f"{'type':<24}{'events':>8}{'decode us':>11}{'step us':>9}")
    for name, (count, decode_us, step_us) in costs.by_type.items():
        rows.append(f"{name:<24}{count:>8}{decode_us:>11.2f}{step_us:>9.2f}")
    return "\n".join(rows) + "\n"
