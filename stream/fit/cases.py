"""Reference cases in a CSV against our functions: the largest relative error of each column.

An empty cell is not compared; a reference below the smallest normal double counts as 0 of that size.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.core.model.record import PurchaseProcess, Spend
from stream.core.value import clv
from stream.fit.purchases import pareto
from stream.fit.purchases.pareto import Pareto

CLOSED_FORM_MAX = 1e-9
TABLE_MAX = 1e-6
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
"""lifetimes' value: 12 months, each discounted by 1%."""


class CasesError(ValueError):
    """The file cannot be compared; the message names the row and column."""


@dataclass(frozen=True)
class ColumnError:
    """How far one column is off, at worst."""

    column: str
    cases: int
    largest: float
    worst_case: str

    @property
    def passed(self) -> bool:
        """Within the column's limit; a comparison that is no number is not."""
        return self.largest <= LIMITS[self.column]


@dataclass(frozen=True)
class Case:
    """One customer of one population, and what the future functions say."""

    p_alive: Callable[[], float]
    p_active: Callable[[float], float]
    purchases: Callable[[float], float]
    discounted: Callable[[float, float | None], float]


def check_cases(path: Path) -> list[ColumnError]:
    """The largest relative error per column of the file."""
    rows = _rows(path)
    worst: dict[str, ColumnError] = {}
    for number, row in enumerate(rows, start=2):
        seen = _quantities(row, f"{path}:{number}")
        for column, quantity in seen.items():
            wanted = _number(row, column, f"{path}:{number}")
            if wanted is None:
                continue
            error = relative_error(quantity(), wanted)
            before = worst.get(column) or ColumnError(column, 0, 0.0, "")
            larger = not error <= before.largest  # also when it is no number
            worst[column] = ColumnError(
                column, before.cases + 1, error if larger else before.largest,
                (row.get("id") or str(number)) if larger else before.worst_case,
            )  # fmt: skip
    return [worst[column] for column in LIMITS if column in worst]


def relative_error(seen: float, wanted: float) -> float:
    """Of the wanted value, or of the smallest normal double if that is larger."""
    if seen == wanted:
        return 0.0
    return abs(seen - wanted) / max(abs(wanted), sys.float_info.min)


def _rows(path: Path) -> Iterable[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CasesError(f"{path}: {error}") from None
    if not rows:
        raise CasesError(f"{path}: no cases in it")
    missing = {"model", "x", "t_x", "T"} - set(rows[0])
    if missing or not set(LIMITS) & set(rows[0]):
        raise CasesError(f"{path}: needs columns model, x, t_x, T and at least one of {', '.join(LIMITS)}")
    return rows


def _quantities(row: Mapping[str, str], where: str) -> dict[str, Callable[[], float]]:
    """What can be asked of this row; a quantity whose inputs are empty is left out."""
    case = _case(row, where)
    horizon, discount = _number(row, "t_horizon", where), _number(row, "delta_cont_per_unit", where)
    year = _number(row, "units_per_year", where)
    quantities: dict[str, Callable[[], float]] = {"p_alive": case.p_alive}
    if horizon is not None:
        quantities["p_active_t"] = lambda: case.p_active(horizon)
        quantities["exp_purchases_t"] = lambda: case.purchases(horizon)
    if discount is not None:
        quantities["dert_inf"] = lambda: case.discounted(discount, None)
        if horizon is not None:
            quantities["det_t"] = lambda: case.discounted(discount, horizon)
    value = _value(row, where)
    if value is None:
        return quantities
    quantities["exp_value"] = lambda: value
    if discount is not None:
        quantities["clv_inf"] = lambda: value * case.discounted(discount, None)
        if horizon is not None:
            quantities["clv_t"] = lambda: value * case.discounted(discount, horizon)
    if year is not None:
        quantities["clv_12steps_1pct"] = lambda: value * _stepped(case, year)
    return quantities


def _case(row: Mapping[str, str], where: str) -> Case:
    x = round(_needed(row, "x", where))
    t_x, T = _needed(row, "t_x", where), _needed(row, "T", where)
    kind = (row.get("model") or "").strip().lower()
    if kind == "pnbd":
        population = Pareto(*(_needed(row, name, where) for name in ("r", "alpha", "s", "beta")))
        return _pareto_case(population, x, t_x, T)
    if kind not in ("bgnbd", "mbgnbd"):
        raise CasesError(f"{where}: model is {kind!r}; it must be bgnbd, mbgnbd or pnbd")
    r, alpha, a, b = (_needed(row, name, where) for name in ("r", "alpha", "a", "b"))
    process = PurchaseProcess(kind="bgnbd" if kind == "bgnbd" else "mbgnbd", r=r, alpha=alpha, a=a, b=b)
    return Case(
        p_alive=lambda: clv.p_alive(process, x, t_x, T),
        p_active=lambda horizon: clv.p_active(process, x, t_x, T, horizon),
        purchases=lambda horizon: clv.expected_purchases(process, x, t_x, T, horizon),
        discounted=lambda discount, horizon: clv.discounted_purchases(process, x, t_x, T, discount, horizon),
    )


def _pareto_case(population: Pareto, x: int, t_x: float, T: float) -> Case:
    log_alive = pareto.log_p_alive(population, x, t_x, T)

    def if_alive(amount: float) -> float:
        return math.exp(log_alive + math.log(amount)) if amount > 0.0 else 0.0

    return Case(
        p_alive=lambda: math.exp(log_alive),
        p_active=lambda horizon: pareto.p_active(population, x, t_x, T, horizon),
        purchases=lambda horizon: if_alive(pareto.purchases_if_alive(population, x, T, horizon)),
        discounted=lambda discount, horizon: if_alive(
            pareto.discounted_if_alive(population, x, T, discount, horizon)
        ),
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
    """lifetimes' sum: purchases of each month times 1.01 to the power of minus the month."""
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
        return float(text)
    except ValueError:
        raise CasesError(f"{where}: {column} is {text!r}, which is no number") from None
