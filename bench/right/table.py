"""All rows as a table of text, worked out log by log in several processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.right.gathered import gathered
from bench.right.logs import FOLDER, Log, folded, logs
from bench.right.row import Loss, Row, row_of

HEAD = (
    "| log | split, weeks | customers, churn | Brier | process | constant | bins "
    "| less than the best (90%) | AUC | best rule | less than it (90%) |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)
LOSING = "**"
"""Around a losing cell."""


def measured(
    only: Sequence[str], files: Sequence[Path], jobs: int, show: Callable[[str], None]
) -> dict[str, Any]:
    """The rows of the chosen logs; `show` gets the lines of a table, a row as soon as its log is judged."""
    chosen = logs(only, files)
    show(HEAD)
    rows, missing = gathered(chosen, rows_of, line, jobs, show)
    return {
        "rows": [_as_json(row) for row in rows],
        "lost_brier": sum(row.lost_brier.is_one for row in rows),
        "lost_auc": sum(row.lost_auc is not None and row.lost_auc.is_one for row in rows),
        "splits": len(rows),
        "missing": missing,
        "kept_in": FOLDER.name,
    }


def rows_of(log: Log) -> list[Row]:
    """The rows of all splits of a log."""
    found = folded(log)
    return [row_of(log.name, found, split) for split in found.splits]


def line(row: Row) -> str:
    """A row of the table; losing cells are bold."""
    brier, rank = row.brier, row.lost_auc
    cells = [
        row.log,
        f"{row.split}, {row.weeks:g}",
        f"{row.customers:,}, {row.rate:.1%}",
        _marked(_number(brier["product"]), row.lost_brier),
        *(_number(brier[who]) for who in ("process", "constant", "bins")),
        _difference(row.lost_brier),
        _marked(_number(row.auc["product"]), rank),
        "-" if rank is None else f"{_number(row.auc[rank.rival])} ({rank.rival})",
        "-" if rank is None else _difference(rank),
    ]
    return f"| {' | '.join(cells)} |"


def _as_json(row: Row) -> dict[str, Any]:
    losses = {"lost_brier": row.lost_brier, "lost_auc": row.lost_auc}
    as_words = {name: loss and {**loss._asdict(), "lost": loss.is_one} for name, loss in losses.items()}
    return {**row._asdict(), **as_words}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}".lstrip("0")


def _marked(text: str, loss: Loss | None) -> str:
    return f"{LOSING}{text}{LOSING}" if loss is not None and loss.is_one else text


def _difference(loss: Loss) -> str:
    """`+.0021 (+.0003 to +.0040)`: above 0 the product is worse."""
    return f"{loss.difference:+.4f} ({loss.low:+.4f} to {loss.high:+.4f})"


def show_line(text: str) -> None:
    """Print at once: a log may take a minute."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
