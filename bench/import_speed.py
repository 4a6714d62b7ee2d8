"""Lines per second of `stream import` on a tidy CSV of orders, in turns with the code of another commit."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
HEADER = "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
MAPPING = """
source = "/bench"
[columns]
order = "order_id"
customer = "customer_id"
time = "order_date"
product = "product_id"
quantity = "quantity"
unit_price = "unit_price"
[constants]
currency = "EUR"
"""
LINES_PER_ORDER_MAX = 5
CUSTOMERS_PER_LINE = 0.05


class ImportRun(NamedTuple):
    """One import of the whole file."""

    lines_s: float
    """Lines per second of wall time, from the first byte read to the last event written."""
    sha256: str
    """Of the events."""


def write_orders(path: Path, lines: int) -> None:
    """A seeded CSV with this many lines below its header: orders of 1 to 5 lines within one year."""
    draw = random.Random(1)
    customers = max(int(lines * CUSTOMERS_PER_LINE), 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        written = order = 0
        while written < lines:
            order += 1
            day = f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
            at = f"{day} {draw.randrange(24):02}:{draw.randrange(60):02}:00"
            customer = 1 + draw.randrange(customers)
            for _ in range(min(draw.randint(1, LINES_PER_ORDER_MAX), lines - written)):
                written += 1
                price = f"{draw.randrange(100, 20_000) / 100:.2f}"
                product, pieces = draw.randrange(3_000), draw.randint(1, 4)
                file.write(f"{order},{customer},{at},P{product},{pieces},{price}\n")


def code_of(commit: str, folder: Path) -> Path:
    """The package as it was at a commit, unpacked into a folder."""
    archive = subprocess.run(
        ["git", "archive", commit, "stream"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def imported(code: Path, folder: Path) -> ImportRun:
    """Import `folder`/orders.csv with the code in a folder, in a process of its own."""
    command = [sys.executable, "-m", "stream", "import", "orders.csv", "--mapping", "orders.toml"]
    answer = subprocess.run(
        [*command, "--out", "events.jsonl", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(code)},
        check=True,
        capture_output=True,
    )
    summary = json.loads(answer.stdout)
    with (folder / "events.jsonl").open("rb") as events:
        digest = hashlib.file_digest(events, "sha256").hexdigest()
    return ImportRun(summary["lines"]["in"] / max(summary["seconds"], 0.1), digest)


def measured(lines: int, rounds: int, before: str | None) -> dict[str, Any]:
    """Medians over the rounds; with `before`, the code of that commit has every second turn."""
    with tempfile.TemporaryDirectory(prefix="stream-bench-import-") as name:
        folder = Path(name)
        write_orders(folder / "orders.csv", lines)
        (folder / "orders.toml").write_text(MAPPING, encoding="utf-8")
        codes = {"now": ROOT}
        if before is not None:
            (folder / "before").mkdir()
            codes["before"] = code_of(before, folder / "before")
        runs: dict[str, list[ImportRun]] = {which: [] for which in codes}
        for _ in range(rounds):
            for which, code in codes.items():
                runs[which].append(imported(code, folder))
    result: dict[str, Any] = {"lines": lines, "rounds": rounds}
    for which, all_runs in runs.items():
        result[f"{which}_lines_s"] = round(median(run.lines_s for run in all_runs))
    if before is not None:
        pairs = zip(runs["now"], runs["before"], strict=True)
        result["ratio"] = round(median(now.lines_s / then.lines_s for now, then in pairs), 3)
        result["events_equal"] = len({run.sha256 for some in runs.values() for run in some}) == 1
    return result
