"""Do alerts keep their word? What the model promised of them, beside what came of those that were raised.

Each split is a backtest: the model and its levels are learnt from what was known at the split, and the
worker's own step then runs over the later events. One wish is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.right.gathered import gathered
from bench.right.logs import Log, Split, events_of, logs, splits_of
from stream.analysis.backtest.backtest import BacktestOptions, run_backtest
from stream.analysis.fit_recording import coverage_of
from stream.core.policy.policy import Policy
from stream.core.units import WEEK_MS
from stream.fit.coverage import Coverage, NotCoveredError, day
from stream.model_file import default_model
from stream.recording.jobs import jobs_over
from stream.recording.recording import Recording

WISHES: tuple[float | None, ...] = (None, 0.6, 0.8)
"""Asked-for shares of right alerts; None: the level of best agreement."""
MANY = 1_000
"""From so many judged alerts on the promise has to be right within POINTS, else within the interval."""
POINTS = 0.04
POINTS_POOLED = 0.02
HEAD = (
    "| log | split, weeks | asked for | kind | raise at | promised | judged | right (95%) | kept |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
LOG_HEAD = "| log | kind | judged | promised | right | kept |\n|---|---|---|---|---|---|"
KIND_WORDS = {
    "churn_risk": "churn risk",
    "at_risk_loyal": "loyal, at risk",
    "upgrade_opportunity": "ready for more",
}


class Kept(NamedTuple):
    """What became of the alerts of one kind after one split."""

    log: str
    split: str
    weeks: float
    wish: float | None
    kind: str
    raise_at: float
    promised: float
    n: int
    judged: int
    right: int
    low: float
    high: float
    """The 95% interval of the share that was right."""

    @property
    def is_kept(self) -> bool:
        """Whether the promise is one that came true."""
        if self.judged >= MANY:
            return abs(self.promised - self.right / self.judged) <= POINTS
        return self.low <= self.promised <= self.high


def measured(
    only: Sequence[str], files: Sequence[Path], jobs: int, show: Callable[[str], None]
) -> dict[str, Any]:
    """The rows of the chosen logs, and the pooled figures; `show` gets the lines of a table."""
    chosen = [log for log in logs(only, files) if log.name != "generated: drift"]
    show(HEAD)
    rows, missing = gathered(chosen, rows_of, line, jobs, show)
    pools = {
        kind: pooled([row for row in rows if row.kind == kind])
        for kind in dict.fromkeys(r.kind for r in rows)
    }
    show("\n".join([LOG_HEAD, *log_lines(rows)]))
    for kind, pool_row in pools.items():
        show(pooled_line(kind, pool_row))
    return {
        "rows": [{**row._asdict(), "kept": row.is_kept} for row in rows],
        "pooled": pools,
        "missing": missing,
    }


def rows_of(log: Log) -> list[Kept]:
    """The rows of all splits and wishes of a log."""
    found = []
    with jobs_over(Recording([events_of(log)]), 1) as parts:
        coverage = coverage_of(parts, Policy().calendar)
        for split in log.splits or splits_of(coverage):
            for wish in WISHES:
                try:
                    numbers = _numbers(parts, coverage, split, wish)
                except NotCoveredError:
                    continue
                found += _kept(log.name, split, wish, numbers)
    return found


def _numbers(parts: Any, coverage: Coverage, split: Split, wish: float | None) -> dict[str, Any]:
    options = BacktestOptions(coverage.first_day_ms, split.day_ms, split.horizon_ms, Policy(), precision=wish)
    return run_backtest(parts, coverage, options, default_model()).numbers


def _kept(log: str, split: Split, wish: float | None, numbers: dict[str, Any]) -> list[Kept]:
    rows = []
    for kind, row in numbers["alerts"].items():
        is_upgrade = kind == "upgrade_opportunity"
        if row["promised"] is None or not row["decided"] or (is_upgrade and wish is not None):
            continue  # nothing is promised, nothing can be judged, or the wish is about other alerts
        level = numbers["upgrade_level"] if is_upgrade else numbers["thresholds"]
        low, high = row["precision_95"]
        rows.append(
            Kept(
                log, day(split.day_ms), split.horizon_ms / WEEK_MS, wish, kind, level["raise_at"],
                row["promised"], row["n"], row["decided"], row["right"], low, high,
            )
        )  # fmt: skip
    return rows


def pooled(rows: Sequence[Kept]) -> dict[str, float]:
    """Of all judged alerts: the mean promise, the share that was right, and how many rows kept it."""
    judged = sum(row.judged for row in rows)
    by_log: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(row.log for row in rows):
        own = [row for row in rows if row.log == name]
        count = sum(row.judged for row in own)
        by_log[name] = (sum(r.promised * r.judged for r in own) / count, sum(r.right for r in own) / count)
    return {
        "judged": judged,
        "promised": sum(row.promised * row.judged for row in rows) / judged,
        "right": sum(row.right for row in rows) / judged,
        "promised_by_log": sum(p for p, _ in by_log.values()) / len(by_log),
        "right_by_log": sum(g for _, g in by_log.values()) / len(by_log),
        "rows": len(rows),
        "kept": sum(row.is_kept for row in rows),
    }


def log_lines(rows: Sequence[Kept]) -> list[str]:
    """A row of a table for each log and kind, over all splits and wishes."""
    lines = []
    for log, kind in dict.fromkeys((row.log, kind) for row in rows for kind in KIND_WORDS):
        own = [row for row in rows if (row.log, row.kind) == (log, kind)]
        if own:
            found = pooled(own)
            shares = f"{found['promised']:.1%} | {found['right']:.1%}"
            kept = f"{found['kept']:.0f} of {found['rows']:.0f}"
            lines.append(f"| {log} | {KIND_WORDS[kind]} | {found['judged']:,.0f} | {shares} | {kept} |")
    return lines


def pooled_line(kind: str, found: dict[str, float]) -> str:
    """The pooled figures in words."""
    return (
        f"{kind}: {found['judged']:,.0f} judged alerts of {found['rows']:.0f} rows: promised "
        f"{found['promised']:.1%}, right {found['right']:.1%}; each log the same weight: promised "
        f"{found['promised_by_log']:.1%}, right {found['right_by_log']:.1%}; {found['kept']:.0f} rows kept"
    )


def line(row: Kept) -> str:
    """A row of the table."""
    got = f"{row.right / row.judged:.0%} ({row.low:.0%} to {row.high:.0%})"
    wish = "best agreement" if row.wish is None else f"{row.wish:.0%}"
    cells = [
        row.log,
        f"{row.split}, {row.weeks:g}",
        wish,
        row.kind,
        f"{row.raise_at:.2f}",
        f"{row.promised:.0%}",
        f"{row.judged:,} of {row.n:,}",
        got,
        "yes" if row.is_kept else "**no**",
    ]
    return f"| {' | '.join(cells)} |"
