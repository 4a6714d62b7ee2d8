"""Discounted purchases of a customer who has not left, as a table over frequency and age.

The purchases are integrals (clv.py). They are tabled once for a model and a horizon, and interpolated.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache

from stream.core.model.record import GridTable, PurchaseProcess
from stream.core.units import YEAR_MS
from stream.core.value.clv import discount_per_unit, discounted_if_alive

FREQUENCIES = (*range(41), 44, 48, 53, 58, 64, 72, 82, 94, 110, 130, 155, 190, 235, 300, 390, 520, 720, 1_000)
AGE_MAX_MS = 40 * YEAR_MS
AGE_KNOTS = 44
COARSE = 0.6
"""Fineness of the quadrature for tables. It gives 1e-9, and interpolation is right to 1e-6 only."""


@lru_cache(maxsize=16)  # two bases with one model, as in `stream policy diff`, share the table
def grid_table(process: PurchaseProcess, horizon_ms: int | None, annual_discount: float) -> GridTable:
    """Discounted purchases if alive as a table over x and T, computed with plain floats."""

    def row(x: int, ages: list[float], discount: float, horizon: float | None) -> list[float]:
        return [discounted_if_alive(process, x, age, discount, horizon, COARSE) for age in ages]

    return grid_table_of_rows(process, horizon_ms, annual_discount, row)


RowOf = Callable[[int, list[float], float, float | None], Iterable[float]]
"""From frequency x, ages T, discount and horizon: discounted purchases if alive at each age."""


def grid_table_of_rows(
    process: PurchaseProcess, horizon_ms: int | None, annual_discount: float, row_of: RowOf
) -> GridTable:
    """A table whose rows `row_of` computes: logarithms of the purchases over their naive number.

    The naive number is the buying rate (r + x) / (alpha + T) times the discounted span.
    """
    discount = discount_per_unit(process, annual_discount, YEAR_MS)
    horizon = None if horizon_ms is None else horizon_ms / process.unit_ms
    start = math.log(process.alpha)
    step = (math.log(process.alpha + AGE_MAX_MS / process.unit_ms) - start) / (AGE_KNOTS - 1)
    span = discounted_span(discount, horizon)
    log_ages = [start + knot * step for knot in range(AGE_KNOTS)]
    ages = [math.exp(log_age) - process.alpha for log_age in log_ages]
    rows = []
    for x in FREQUENCIES:
        naive = span * (process.r + x)
        ratios = [
            math.log(g / naive) + log_age
            for g, log_age in zip(row_of(x, ages, discount, horizon), log_ages, strict=True)
        ]
        rows.append(tuple(float(f"{ratio:.11g}") for ratio in ratios))
    return GridTable(
        horizon_ms=horizon_ms,
        annual_discount=annual_discount,
        frequencies=FREQUENCIES,
        log_age_start=start,
        log_age_step=step,
        rows=tuple(rows),
    )


def age_max(grid: GridTable, process: PurchaseProcess) -> float:
    """The largest age T of a table."""
    return math.exp(grid.log_age_start + (len(grid.rows[0]) - 1) * grid.log_age_step) - process.alpha


def interpolated(grid: GridTable, r: float, x: int, log_age: float) -> float | None:
    """What the table holds of this frequency and logarithm of alpha + age; None beyond it.

    The interpolation is cubic in log age, and between rows in log rate.
    """
    place = (log_age - grid.log_age_start) / grid.log_age_step
    frequencies = grid.frequencies
    if place > len(grid.rows[0]) - 1 or x > frequencies[-1]:
        return None
    column = min(max(int(place) - 1, 0), len(grid.rows[0]) - 4)
    row = bisect_left(frequencies, x)
    if frequencies[row] == x:
        return _cubic(grid.rows[row], column, place - column)
    return _between(grid, r, x, column, place - column)


def discounted_span(discount: float, horizon: float | None) -> float:
    """The discounted span: today's worth of one purchase per unit, until the horizon or for ever."""
    if horizon is None:
        return 1.0 / discount
    return -math.expm1(-discount * horizon) / discount if discount > 0.0 else horizon


def _cubic(row: tuple[float, ...], column: int, s: float) -> float:
    """Lagrange interpolation through four equally spaced values, at s in [0, 3]."""
    y0, y1, y2, y3 = row[column : column + 4]
    s1, s2, s3 = s - 1.0, s - 2.0, s - 3.0
    return (s1 * s2 * (s * y3 - s3 * y0) / 3.0 + s * s3 * (s2 * y1 - s1 * y2)) * 0.5


def _between(grid: GridTable, r: float, x: int, column: int, s: float) -> float:
    row = bisect_left(grid.frequencies, x)
    first = min(max(row - 2, 0), len(grid.frequencies) - 4)
    at = math.log(r + x)
    places = [math.log(r + grid.frequencies[first + k]) for k in range(4)]
    total = 0.0
    for k in range(4):
        share = 1.0
        for other in range(4):
            if other != k:
                share *= (at - places[other]) / (places[k] - places[other])
        total += share * _cubic(grid.rows[first + k], column, s)
    return total
