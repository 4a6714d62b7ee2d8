"""The folder of `stream try`: what a run wrote it may write again, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

MARK = ".stream-try.json"
"""Name -> [size, time of the last change in ns] of each file that a run wrote."""
MAPPING, EVENTS, REJECTS, MODEL = "mapping.toml", "events.jsonl.gz", "events.rejects.jsonl", "model.json"
PROFILES, ALERTS, BACKTEST, NUMBERS = "profiles.jsonl", "alerts.jsonl", "backtest.html", "backtest.json"
REPORT = "report.html"
REMEDY = "name another folder by --out"
OUTPUTS = (MAPPING, EVENTS, REJECTS, MODEL, PROFILES, ALERTS, BACKTEST, NUMBERS, REPORT)


class NotOursError(click.ClickException):
    """The folder holds files that no run of `stream try` wrote; exit code 2, nothing was changed."""

    exit_code = 2


class TryFolder:
    """A folder that is new, empty, or of an earlier run, whose results are taken away first."""

    def __init__(self, path: Path, inputs: Iterable[Path]) -> None:
        """NotOursError for any other folder. A mapping that was edited since stays: see `has_own_mapping`."""
        self.path = path
        self._written = _mark_of(path)
        place = path.resolve()
        for one in inputs:
            if place in one.resolve().parents:
                raise NotOursError(f"{one} lies in {path}, where the results go: {REMEDY}")
        self.has_own_mapping = (path / MAPPING).exists() and not self._is_written(MAPPING)
        foreign = [name for name in OUTPUTS[1:] if (path / name).exists() and not self._is_written(name)]
        if foreign:
            raise NotOursError(f"{path / foreign[0]} was changed or is not ours: {REMEDY}")
        path.mkdir(parents=True, exist_ok=True)
        for name in OUTPUTS[1:] if self.has_own_mapping else OUTPUTS:
            (path / name).unlink(missing_ok=True)
        self.note()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def note(self) -> None:
        """Remember what was written so far, to know it again."""
        names = OUTPUTS[1:] if self.has_own_mapping else OUTPUTS
        self._written = {name: _state(self.path / name) for name in names if self.has(name)}
        (self.path / MARK).write_text(json.dumps(self._written) + "\n")

    def _is_written(self, name: str) -> bool:
        return self._written.get(name) == _state(self.path / name)


def _mark_of(path: Path) -> dict[str, list[int]]:
    if path.exists() and not path.is_dir():
        raise NotOursError(f"{path} is a file: {REMEDY}")
    if not path.exists() or not any(path.iterdir()):
        return {}
    try:
        written: dict[str, list[int]] = json.loads((path / MARK).read_text())
    except (OSError, ValueError):
        raise NotOursError(f"{path} holds files that are not ours: {REMEDY}") from None
    return written


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
