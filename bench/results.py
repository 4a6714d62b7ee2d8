"""Results on disk: one JSON file per date and machine, and a picture of the latest comparison."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.roster import REPOSITORY

RESULTS = REPOSITORY / "bench" / "results"
PICTURE = REPOSITORY / "docs" / "bench.svg"
NAMES = {
    "ours": "stream worker, the full job",
    "ours_exactly_once": "the same, exactly once",
    "ours_toy_fold": "our engine, 8 counters",
    "floor": "no framework, 8 counters",
    "kafka_streams": "Kafka Streams, 8 counters",
    "bytewax": "Bytewax, 8 counters",
    "quix": "Quix Streams, 8 counters",
    "naive_faust": "naive Faust, 8 counters",
}


def machine() -> dict[str, Any]:
    """The machine that was measured: processor, memory, system, Python."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory_kb = next(
        (int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kb / 2**20),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def stamp() -> dict[str, Any]:
    """Date, commit, machine and load average. With a load above 2, rates and ratios mean little."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "commit": commit,
        "machine": machine(),
        "load_average": [round(each, 1) for each in os.getloadavg()],
    }


def keep(name: str, result: dict[str, Any]) -> Path:
    """Write bench/results/<date>-<machine>-<name>.json, replacing an earlier result of the same day."""
    here = machine()
    who = f"{platform.machine()}-{here['cores']}cores"
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{who}{'-' + name if name else ''}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    return path


def draw(speed: dict[str, Any], title: str) -> str:
    """A bar chart as SVG: events per second of each peer."""
    shown = [(NAMES[name], rate, name) for name in NAMES if (rate := speed.get(name))]
    top = max((rate for _, rate, _ in shown), default=1.0)
    rows = []
    for index, (label, rate, name) in enumerate(shown):
        y = 48 + 30 * index
        width = max(1.0, 400 * rate / top)
        colour = "#1a7f5a" if name.startswith("ours") else "#9aa5b1"
        rows.append(
            f'<text x="190" y="{y + 15}" text-anchor="end">{label}</text>'
            f'<rect x="200" y="{y}" width="{width:.1f}" height="20" fill="{colour}"/>'
            f'<text x="{206 + width:.1f}" y="{y + 15}">{rate:,.0f}</text>'
        )
    height = 60 + 30 * len(shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {height}" width="680" height="{height}" '
        f'role="img" aria-label="{title}" font-family="system-ui, sans-serif" font-size="13">'
        f'<rect width="680" height="{height}" fill="#ffffff"/><text x="20" y="26" font-size="15" '
        f'font-weight="600">{title}</text>{"".join(rows)}</svg>\n'
    )


def print_result(result: dict[str, Any]) -> None:
    """Print the last line of every subcommand: one JSON object."""
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
