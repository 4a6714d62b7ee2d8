"""Reference cases in a CSV file against our formulas: the largest relative error of each column.

One row is one customer of one population. An empty cell is not compared. Errors are relative to the
reference, or to the smallest normal double where the reference is below it. Rows of the Pareto/NBD model are
skipped: the product does not contain that model.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stream.core.model.record import PurchaseProcess, Spend
from stream.core.value import clv

CLOSED_FORM_MAX = 1e-9
"""Largest relative error of a column that we compute from a closed form."""
TABLE_MAX = 1e-6
"""Largest relative error of a column that needs numerical integration; the tables of a model add no more."""
LIMITS = {
    "p_alive": CLOSED_FORM_MAX,
    "p_active_t": CLOSED_FORM_MAX,
    "exp_purchases_t": CLOSED_FORM_MAX,
    "exp_value": TABLE_MAX,
    "dert_inf": TABLE_MAX,
    "det_t": TABLE_MAX,
    "clv_inf": TABLE_MAX,
    "clv_t": TABLE_MAX,
    "clv_12steps_1pct": TABLE_MAX,
}
STEPS, STEP_DISCOUNT = 12, 0.01
"""Customer lifetime value as the Python package `lifetimes` computes it: 12 months, each discounted by 1%."""
SKIPPED_MODEL = "pnbd"


class CasesError(ValueError):
    """The file cannot be compared; the message names the row and column."""


@dataclass(frozen=True)
class ColumnError:
    """The largest relative error of one column, and the id of the case that has it."""

    column: str
    cases: int
    largest: float
    worst_case: str

    @property
    def passed(self) -> bool:
        """Whether the error is within the column's limit; NaN is not."""
        return self.largest <= LIMITS[self.column]


class CasesReport(NamedTuple):
    """One error per compared column, in the order of LIMITS; and how many rows of Pareto/NBD were skipped."""

    errors: list[ColumnError]
    skipped: int


@dataclass(frozen=True)
class Case:
    """One customer of one population: functions of the horizon and the discount rate, both per model unit."""

    p_alive: Callable[[], float]
    p_active: Callable[[float], float]
    purchases: Callable[[float], float]
    discounted: Callable[[float, float | None], float]


def check_cases(path: Path) -> CasesReport:
    """The largest relative error per column of the file; CasesError when nothing in it can be compared."""
    worst: dict[str, ColumnError] = {}
    skipped, rows = 0, _rows(path)
    for number, row in enumerate(rows, start=2):
        where = f"{path}:{number}"
        if model_of(row) == SKIPPED_MODEL:
            skipped += 1
            continue
        for column, quantity in quantities(_case(row, where), row, where).items():
            reference = _number(row, column, where)
            if reference is None:
                continue
            error = relative_error(_computed(quantity, column, row, where), reference)
            before = worst.get(column) or ColumnError(column, 0, 0.0, "")
            larger = not error <= before.largest  # also when the error is NaN
            worst[column] = ColumnError(
                column, before.cases + 1, error if larger else before.largest,
                (row.get("id") or str(number)) if larger else before.worst_case,
            )  # fmt: skip
    if skipped == len(rows):
        raise CasesError(f"{path}: all cases are of Pareto/NBD, which is not part of the product")
    return CasesReport([worst[column] for column in LIMITS if column in worst], skipped)


def _computed(quantity: Callable[[], float], column: str, row: Mapping[str, str], where: str) -> float:
    """The value; CasesError where the formula has none, as for a parameter of nothing or below it."""
    try:
        return quantity()
    except (ArithmeticError, ValueError) as why:
        given = ", ".join(f"{name} {_number(row, name, where)}" for name in ("r", "alpha", "a", "b"))
        raise CasesError(
            f"{where}: {column} cannot be computed from these parameters ({given}): {why}"
        ) from why


def relative_error(value: float, reference: float) -> float:
    """The distance, relative to the reference or to the smallest normal double if that is larger."""
    if value == reference:
        return 0.0
    return abs(value - reference) / max(abs(reference), sys.float_info.min)


def model_of(row: Mapping[str, str]) -> str:
    """The row's model: `bgnbd`, `mbgnbd` or `pnbd`."""
    return (row.get("model") or "").strip().lower()


def _rows(path: Path) -> Sequence[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise CasesError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise CasesError(f"{path}: {error}") from None
    if not rows:
        raise CasesError(f"{path}: no cases in it")
    missing = {"model", "x", "t_x", "T"} - set(rows[0])
    if missing or not set(LIMITS) & set(rows[0]):
        raise CasesError(f"{path}: needs columns model, x, t_x, T and at least one of {', '.join(LIMITS)}")
    return rows


def quantities(case: Case, row: Mapping[str, str], where: str) -> dict[str, Callable[[], float]]:
    """Column -> our value, for every column whose inputs are in the row."""
    horizon, discount = _number(row, "t_horizon", where), _number(row, "delta_cont_per_unit", where)
    year = _number(row, "units_per_year", where)
    found: dict[str, Callable[[], float]] = {"p_alive": case.p_alive}
    if horizon is not None:
        found["p_active_t"] = lambda: case.p_active(horizon)
        found["exp_purchases_t"] = lambda: case.purchases(horizon)
    if discount is not None:
        found["dert_inf"] = lambda: case.discounted(discount, None)
        if horizon is not None:
            found["det_t"] = lambda: case.discounted(discount, horizon)
    value = _value(row, where)
    if value is None:
        return found
    found["exp_value"] = lambda: value
    if discount is not None:
        found["clv_inf"] = lambda: value * case.discounted(discount, None)
        if horizon is not None:
            found["clv_t"] = lambda: value * case.discounted(discount, horizon)
    if year is not None:
        found["clv_12steps_1pct"] = lambda: value * _stepped(case, year)
    return found


def _case(row: Mapping[str, str], where: str) -> Case:
    x = round(_needed(row, "x", where))
    t_x, T = _needed(row, "t_x", where), _needed(row, "T", where)
    kind = model_of(row)
    if kind not in ("bgnbd", "mbgnbd"):
        raise CasesError(f"{where}: model is {kind!r}; it must be bgnbd or mbgnbd (pnbd is skipped)")
    r, alpha, a, b = (_needed(row, name, where) for name in ("r", "alpha", "a", "b"))
    process = PurchaseProcess(kind="bgnbd" if kind == "bgnbd" else "mbgnbd", r=r, alpha=alpha, a=a, b=b)
    return Case(
        p_alive=lambda: clv.p_alive(process, x, t_x, T),
        p_active=lambda horizon: clv.p_active(process, x, t_x, T, horizon),
        purchases=lambda horizon: clv.expected_purchases(process, x, t_x, T, horizon),
        discounted=lambda discount, horizon: clv.discounted_purchases(process, x, t_x, T, discount, horizon),
    )


def _value(row: Mapping[str, str], where: str) -> float | None:
    names = ("gg_p", "gg_q", "gg_v", "mean_value", "x")
    p, q, v, mean, x = (_number(row, name, where) for name in names)
    if p is None or q is None or v is None or x is None:
        return None
    if mean is None and x > 0:
        return None
    return clv.expected_value(Spend(p=p, q=q, v=v), round(x), mean or 0.0)


def _stepped(case: Case, year: float) -> float:
    """As `lifetimes` sums: expected purchases of each month, times 1.01 to the power of minus the month."""
    counts = [0.0] + [case.purchases(year / STEPS * step) for step in range(1, STEPS + 1)]
    return math.fsum(
        (counts[step] - counts[step - 1]) / (1.0 + STEP_DISCOUNT) ** step for step in range(1, STEPS + 1)
    )


def _needed(row: Mapping[str, str], column: str, where: str) -> float:
    number = _number(row, column, where)
    if number is None:
        raise CasesError(f"{where}: {column} is empty")
    return number


def _number(row: Mapping[str, str], column: str, where: str) -> float | None:
    text = (row.get(column) or "").strip()
    if not text or text.lower() in ("nan", "na", "none"):
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CasesError(f"{where}: {column} is {text!r}, which is not a number")
    return number
