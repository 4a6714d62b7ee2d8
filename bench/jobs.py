"""Seconds of the studies of events with one process and with several, in turns, on a public data set."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
NOW = ("--now", "2026-01-01")
STUDIES = {
    "replay": ("replay", "events.jsonl", "--profiles", "profiles", "--alerts", "alerts"),
    "backtest": ("backtest", "events.jsonl", "--split", "2017-07-02", "--horizon", "26w", "--report", "page"),
    "fit": ("fit", "events.jsonl", "--out", "model"),
    "report": ("report", "events.jsonl", "--out", "page"),
}
WRITTEN = ("profiles", "alerts", "model", "page")


class StudyRun(NamedTuple):
    """One run of one study."""

    seconds: float
    """Wall time, from the start of the process to its end."""
    sha256: str
    """Of the files that it wrote, without the seconds that a page states."""


def run(study: str, folder: Path, jobs: int) -> StudyRun:
    """Run a study in a process of its own."""
    for name in WRITTEN:
        (folder / name).unlink(missing_ok=True)
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "stream", *STUDIES[study], *NOW, "--jobs", str(jobs)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    seconds = time.monotonic() - began
    digest = hashlib.sha256()
    for name in WRITTEN:
        path = folder / name
        if path.exists() and study != "backtest":  # its page states how long it took
            digest.update(path.read_bytes())
    return StudyRun(seconds, digest.hexdigest())


def measured(events: Path | None, rounds: int, jobs: int) -> dict[str, Any]:
    """Medians over the rounds of each study, with 1 process and with `jobs`; None: completejourney."""
    with tempfile.TemporaryDirectory(prefix="stream-bench-jobs-") as name:
        folder = Path(name)
        if events is not None:
            (folder / "events.jsonl").symlink_to(events.resolve())
        else:
            command = [sys.executable, "-m", "stream", "import", "completejourney", "--out", "events.jsonl"]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        result: dict[str, Any] = {"rounds": rounds, "jobs": jobs}
        for study in STUDIES:
            pairs = [(run(study, folder, 1), run(study, folder, jobs)) for _ in range(rounds)]
            result[study] = {
                "one_s": round(median(one.seconds for one, _ in pairs), 2),
                "several_s": round(median(several.seconds for _, several in pairs), 2),
                "ratio": round(median(one.seconds / several.seconds for one, several in pairs), 3),
                "equal": len({each.sha256 for pair in pairs for each in pair}) == 1,
            }
    return result
