"""What `stream report`, `stream backtest` and `stream uplift` left in a folder: it takes all events.

They are read again when a file is another one: a nightly report shows without a start of the dashboard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.core.judgement.basis import Basis

REPORT, BACKTEST, UPLIFT = "report.json", "backtest.json", "uplift.json"
"""Names of the files; the folder of `stream try` holds the first two."""
KEYS = {
    REPORT: (
        "as_of_ms",
        "zone",
        "currency",
        "acquisition",
        "development",
        "retention",
        "campaigns",
        "drivers",
    ),
    BACKTEST: ("alerts", "horizon_weeks", "data_end", "split"),
    UPLIFT: ("experiment", "customers", "sample_ratio", "all", "headline"),
}
"""Without these a file was not written by the command."""


BY_THE_SAME = "stream report EVENTS --model MODEL --publish FOLDER"
"""The command that publishes a report by the model of the page."""


class PublishedError(Exception):
    """A file holds something else; the text names it and says what to run."""


class Published:
    """The files of one folder, or of none."""

    def __init__(self, folder: Path | None = None, waiting: str = "") -> None:
        """`waiting`: what pages say where nothing was published yet; empty: which command to run."""
        self.folder, self.waiting = folder, waiting
        self._read: dict[str, tuple[tuple[int, int], Mapping[str, Any]]] = {}

    def report(self) -> Mapping[str, Any] | None:
        """The numbers of the last report; None: there is none yet. PublishedError."""
        return self._numbers(REPORT)

    def backtest(self) -> Mapping[str, Any] | None:
        """The numbers of the last backtest; None: there is none yet. PublishedError."""
        return self._numbers(BACKTEST)

    def uplift(self) -> Mapping[str, Any] | None:
        """The numbers of the last readout of an experiment; None: there is none yet. PublishedError."""
        return self._numbers(UPLIFT)

    def uplift_readout(self) -> tuple[Mapping[str, Any], float] | None:
        """The same with the instant at which it was published, in seconds since 1970; None as well for a file
        that is something else."""
        try:
            numbers = self.uplift()
        except PublishedError:
            return None
        return None if numbers is None else (numbers, self._read[UPLIFT][0][0] / 1e9)

    def _numbers(self, name: str) -> Mapping[str, Any] | None:
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size)
            if name not in self._read or self._read[name][0] != state:
                self._read[name] = (state, _checked(path, name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PublishedError(f"{path} cannot be read: {error.strerror}") from error
        return self._read[name][1]


def _checked(path: Path, name: str) -> Mapping[str, Any]:
    command = name.removesuffix(".json")
    remedy = f"run `stream {command} --publish {path.parent}` again"
    try:
        numbers = json.loads(path.read_bytes())
    except ValueError as error:
        raise PublishedError(f"{path} is no JSON ({error}): {remedy}") from None
    missing = [key for key in KEYS[name] if not isinstance(numbers, dict) or key not in numbers]
    if missing:
        raise PublishedError(f"{path} is not what this version publishes (no {missing[0]!r}): {remedy}")
    found: Mapping[str, Any] = numbers
    return found


def other_basis(numbers: Mapping[str, Any], basis: Basis) -> str:
    """By what else than this basis a report was made, in words: `another model`; empty where by the same.

    Tiers, risks and values of two models look alike and are not: who compares them reads a change that never
    was. So such numbers never stand beside those of the page: they are behind a click that says it.
    """
    is_other = {
        "another policy": numbers.get("policy") != basis.policy.hash,
        "another model": numbers.get("model") != basis.model.version,
    }
    return " and ".join(words for words, other in is_other.items() if other)
