"""The purchase logs that the risk is judged on, each with its splits, and their histories, read once.

Public logs are found as the importers find them, generated ones are made by `stream import generated`, and
others are files of events. Events and folded histories are kept in the temporary folder: a history is folded
again when its events, or the code that folds them, have changed.
"""

from __future__ import annotations

import hashlib
import os
import pickle  # only files that this program wrote itself
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from stream.analysis.fit_recording import coverage_of, horizon_of
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.coverage import Coverage
from stream.fit.history import History, read_history
from stream.fit.model_fit import snapshot_days
from stream.recording.jobs import jobs_over
from stream.recording.part import Part
from stream.recording.recording import Recording

Made = TypeVar("Made")
ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(tempfile.gettempdir()) / "stream-bench-right"
CODE = ("stream/core/events", "stream/core/facts", "stream/core/model/features.py", "stream/fit/history.py")
"""What a folded history depends on."""


class Split(NamedTuple):
    """A day to learn up to, and how long those are followed who bought by then."""

    day_ms: int
    """Midnight of the last known day."""
    horizon_ms: int
    first_by_ms: int | None = None
    """Only customers whose first purchase was by this instant are judged."""


class Log(NamedTuple):
    """Where the events of a log come from: the arguments of `stream import`, or a file."""

    name: str
    source: tuple[str, ...] | Path
    splits: tuple[Split, ...] = ()
    """Empty: by the span of the log (`splits_of`)."""


class LogUnavailableError(RuntimeError):
    """The events of a log cannot be had here; the message says why."""


class Span(NamedTuple):
    """How far the events of a log reach, and who is left out for money that cannot be true."""

    coverage: Coverage
    left_out: frozenset[str]


class Folded(NamedTuple):
    """A log's whole history with the snapshots of all its splits."""

    history: History
    splits: tuple[Split, ...]


def split_at(day: str, weeks: int, first_by: str | None = None) -> Split:
    by_ms = _day_ms(date.fromisoformat(first_by)) + DAY_MS - 1 if first_by else None
    return Split(_day_ms(date.fromisoformat(day)), weeks * WEEK_MS, by_ms)


def _day_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


CDNOW_SPLITS = (split_at("1997-09-30", 39), split_at("1997-12-30", 26), split_at("1998-02-28", 13))
PUBLIC = (
    Log("CDNOW, one in ten", ("cdnow-sample",), (split_at("1997-06-30", 26), *CDNOW_SPLITS)),
    Log("CDNOW, all", ("cdnow",), CDNOW_SPLITS),
    Log(
        "Complete Journey",
        ("completejourney",),
        (
            split_at("2017-07-02", 8, "2017-04-01"),
            split_at("2017-07-02", 26, "2017-04-01"),
            split_at("2017-05-01", 13),
            split_at("2017-10-01", 8),
        ),
    ),
)
SEASONAL_SPLITS = (split_at("2024-09-15", 13), split_at("2024-01-31", 26), split_at("2024-06-30", 26))
STEADY_SPLITS = (split_at("2023-12-31", 13), split_at("2023-12-31", 26), split_at("2024-06-30", 26))
KINDS = {
    "christmas": SEASONAL_SPLITS,
    "annual": SEASONAL_SPLITS,
    "clockwork": (split_at("2023-12-31", 4), *STEADY_SPLITS),
    "drift": (split_at("2023-12-31", 26), split_at("2024-03-31", 26)),
    "growth": STEADY_SPLITS,
    "stall": STEADY_SPLITS,
    "small": STEADY_SPLITS,
}
"""Kinds of `stream import generated --kind`, which last from 2021 to 2024, with their splits. The orders of
drift fall on 1 January 2024; those of stall mostly fail to arrive from 15 September to 13 November 2023."""
OF_FILES = {
    "online-retail": (split_at("2011-06-09", 26), split_at("2011-09-01", 10), split_at("2011-07-01", 10)),
    "grocer": (split_at("2006-06-30", 52), split_at("2006-12-30", 52), split_at("2007-06-30", 16)),
    "apparel": (split_at("2007-12-31", 52), split_at("2008-12-31", 52)),
    "rfm-orders": (split_at("2005-12-31", 26), split_at("2006-06-30", 26)),
    "retail-transactions": (split_at("2013-12-31", 26), split_at("2014-06-30", 26)),
    "superstore": (split_at("2018-06-30", 26), split_at("2019-06-30", 26)),
    "groceries": (split_at("2015-03-31", 26), split_at("2015-06-30", 26)),
    "bicycles": (split_at("2017-07-31", 13), split_at("2017-09-30", 13)),
    "online-retail-2009": (split_at("2010-06-30", 13), split_at("2010-08-31", 13)),
}
"""Name of a file of events without its endings -> its splits. From `apparel` on they were chosen by the
calendar alone, and measured once, after the method had been chosen on the other logs."""


def logs(only: Sequence[str], files: Sequence[Path]) -> list[Log]:
    """The public logs, the generated ones and these files; `only` keeps those whose name contains a word."""
    generated = [
        Log(f"generated: {kind}", ("generated", "--kind", kind), splits) for kind, splits in KINDS.items()
    ]
    given = [Log(path.name.split(".")[0], path, OF_FILES.get(path.name.split(".")[0], ())) for path in files]
    every = [*PUBLIC, *generated, *given]
    return [log for log in every if not only or any(word.lower() in log.name.lower() for word in only)]


def events_of(log: Log) -> Path:
    """The file of the log's events; LogUnavailableError says why there is none."""
    return log.source if isinstance(log.source, Path) else _made(log.source)


def folded(log: Log) -> Folded:
    """The log's history, from the temporary folder if it was folded before."""
    events = events_of(log)
    first = kept(events, "span", lambda: span_in(events))
    splits = log.splits or splits_of(first.coverage)
    days = sorted({day for split in splits for day in _days(split, first.coverage.first_day_ms)})
    history = kept(events, f"{days}", lambda: history_in(events, first.left_out, days))
    return Folded(history, splits)


def kept(events: Path, what: str, made: Callable[[], Made]) -> Made:
    """What was made of these events by this code, from the temporary folder; else it is made and kept."""
    stat, sums = events.stat(), [_hash(ROOT / place) for place in CODE]
    text = f"{what} {events.resolve()} {stat.st_size} {stat.st_mtime_ns} {sums}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = FOLDER / f"{events.name.split('.')[0]}-{digest}.pickle"
    if path.exists():
        found: Made = pickle.loads(path.read_bytes())
        return found
    result = made()
    FOLDER.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(pickle.dumps(result))
    fresh.rename(path)
    return result


def span_in(events: Path) -> Span:
    with jobs_over(Recording([events]), 1) as jobs:
        coverage = coverage_of(jobs, Policy().calendar)
        return Span(coverage, jobs.recording.left_out)


def history_in(events: Path, left_out: frozenset[str], days: Sequence[int]) -> History:
    recording = Recording([events])
    recording.left_out = left_out
    with jobs_over(recording, 1) as jobs:
        return History.joined(jobs.run("reading", whole_history, days))


def whole_history(part: Part, days_ms: Sequence[int]) -> History:
    """The history of a part with snapshots of these days, without profiles."""
    history = read_history(part.events(), days_ms, Policy())
    history.profiles = {}
    return history


def complete_look_ms(split: Split) -> int:
    """The newest day whose horizon was over at the split."""
    return split.day_ms - split.horizon_ms


def splits_of(coverage: Coverage) -> tuple[Split, ...]:
    """The last two looks that do not overlap, over an eighth of the span: four weeks at least, 26 at most."""
    last_ms = coverage.end_ms // DAY_MS * DAY_MS
    weeks = min(26, max(4, (last_ms - coverage.first_day_ms) // (8 * WEEK_MS)))
    horizon_ms = weeks * WEEK_MS
    return tuple(Split(last_ms - looks * horizon_ms - DAY_MS, horizon_ms) for looks in (2, 1))


def _days(split: Split, first_ms: int) -> tuple[int, ...]:
    days = snapshot_days(first_ms, split.day_ms, horizon_of(split.horizon_ms))
    return (*days, complete_look_ms(split)) if complete_look_ms(split) > first_ms else days


def _made(arguments: tuple[str, ...]) -> Path:
    """The events that `stream import` makes with these arguments, from the temporary folder if it has them.

    A generated log is made anew when its generator has changed.
    """
    digest = _hash(ROOT / "stream" / "importing" / "generated") if arguments[0] == "generated" else ""
    path = FOLDER / f"{'-'.join(word.strip('-') for word in arguments)}{digest}.jsonl"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.jsonl")
        command = [sys.executable, "-m", "stream", "import", *arguments, "--out", str(fresh)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            fresh.unlink(missing_ok=True)
            raise LogUnavailableError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
        fresh.rename(path)
    return path


def _hash(place: Path) -> str:
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
