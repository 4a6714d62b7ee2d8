"""The folder of `stream try`: what a run wrote it may write again, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

MARK = ".stream-try.json"
"""Name -> [size, time of the last change in ns] of each file that a run wrote."""
MAPPING, EVENTS, REJECTS, MODEL = "mapping.toml", "events.jsonl.gz", "events.rejects.jsonl", "model.json"
PROFILES, ALERTS, BACKTEST, NUMBERS = "profiles.jsonl", "alerts.jsonl", "backtest.html", "backtest.json"
REPORT, REPORT_NUMBERS = "report.html", "report.json"
REMEDY = "name another folder by --out"
BEFORE = ".before"
"""Folder of the results of the run before, while it is open whether there will be new ones."""
KEPT = (MAPPING, REJECTS)
"""Results of a run without events that stay: they say what to correct."""
OUTPUTS = (MAPPING, EVENTS, REJECTS, MODEL, PROFILES, ALERTS, BACKTEST, NUMBERS, REPORT, REPORT_NUMBERS)


class NotOursError(click.ClickException):
    """The folder holds files that no run of `stream try` wrote; exit code 2, nothing was changed."""

    exit_code = 2


class TryFolder:
    """A folder that is new, empty, or of an earlier run, whose results stay until there are new events."""

    def __init__(self, path: Path, inputs: Iterable[Path]) -> None:
        """NotOursError for any other folder. A mapping that was edited since stays: see `has_own_mapping`."""
        self.path = path
        self._before = path / BEFORE
        self._made: list[Path] = []
        with _one_line(path):
            self._open(inputs)

    def _open(self, inputs: Iterable[Path]) -> None:
        path = self.path
        self._written = _mark_of(path)
        place = path.resolve()
        for one in inputs:
            if place in one.resolve().parents:
                raise NotOursError(f"{one} lies in {path}, where the results go: {REMEDY}")
        self.restore()  # of a run that was killed
        self.has_own_mapping = (path / MAPPING).exists() and not self._is_written(MAPPING)
        foreign = [name for name in OUTPUTS[1:] if (path / name).exists() and not self._is_written(name)]
        if foreign:
            raise NotOursError(f"{path / foreign[0]} was changed or is not ours: {REMEDY}")
        self._made = [one for one in (path, *path.parents) if not one.exists()]
        self._before.mkdir(parents=True, exist_ok=True)
        for name in self._ours:
            if self.has(name):
                (path / name).rename(self._before / name)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        """Whether there is this result of the present run."""
        return (self.path / name).exists()

    @property
    def _ours(self) -> tuple[str, ...]:
        return OUTPUTS[1:] if self.has_own_mapping else OUTPUTS

    def note(self) -> None:
        """Remember what was written so far, to know it again."""
        self._written |= {name: _state(self.path / name) for name in self._ours if self.has(name)}
        (self.path / MARK).write_text(json.dumps(self._written) + "\n")

    def forget_before(self) -> None:
        """There are new events: the results of the run before are deleted."""
        for path in self._before.iterdir():
            path.unlink()
        self._before.rmdir()
        self._written = {name: state for name, state in self._written.items() if self.has(name)}

    def restore(self) -> bool:
        """Without new events: the results of the run before are put back, and whether there were any.

        A new mapping and new rejects stay, because they say what to correct. What was made and is empty is
        taken away.
        """
        if not self._before.exists():
            return False
        (self.path / EVENTS).unlink(missing_ok=True)  # no event is in it
        found = sorted(self._before.iterdir())
        for path in found:
            name = path.name
            if name in KEPT and self.has(name):
                path.unlink()
            else:
                path.replace(self.path / name)
                self._written[name] = _state(self.path / name)
        self._before.rmdir()
        if any(map(self.has, OUTPUTS)):
            (self.path / MARK).write_text(json.dumps(self._written) + "\n")
        else:
            self._take_away()
        return bool(found)

    def _take_away(self) -> None:
        """Delete the folders that were made for this run, as far as they are empty."""
        (self.path / MARK).unlink(missing_ok=True)
        for path in self._made:
            if any(path.iterdir()):
                return
            path.rmdir()

    def _is_written(self, name: str) -> bool:
        return self._written.get(name) == _state(self.path / name)


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """What the system refuses becomes one line with the remedy."""
    try:
        yield
    except OSError as failure:
        raise NotOursError(f"{failure.filename or path}: {failure.strerror}: {REMEDY}") from failure


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
