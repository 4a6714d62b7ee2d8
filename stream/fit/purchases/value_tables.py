"""Tables of expected discounted purchases, all ages of a frequency at once with numpy.

The same quadrature nodes as core/value/clv.py, ten times as fast.
"""

from __future__ import annotations

import numpy as np

from stream.core.model.record import GridTable, PurchaseProcess
from stream.core.value.quadrature import beta_nodes, half_line_nodes, unit_nodes
from stream.core.value.tables import COARSE, grid_table_of_rows
from stream.fit.arrays import Numbers


def fast_table(process: PurchaseProcess, horizon_ms: int | None, annual_discount: float) -> GridTable:
    """The table that stream.core.value.tables.grid_table makes, up to rounding."""

    def row(x: int, ages: list[float], discount: float, horizon: float | None) -> list[float]:
        found: list[float] = _discounted(
            process, x, np.array(ages) + process.alpha, discount, horizon
        ).tolist()
        return found

    return grid_table_of_rows(process, horizon_ms, annual_discount, row)


def _discounted(
    process: PurchaseProcess, x: int, ages: Numbers, discount: float, horizon: float | None
) -> Numbers:
    """Expected discounted purchases if alive, shape (ages,), of one frequency x; `ages` are alpha + T."""
    first = 1.0 if process.kind == "mbgnbd" else 0.0
    p, weights = np.array(beta_nodes(process.a, process.b + x + first, COARSE)).T
    if horizon is None:
        s, w = np.array(half_line_nodes(0.11 / COARSE)).T
        factors, delays, direct = w * np.exp(-s), s / discount, np.zeros(len(ages))
    else:
        s, w = np.array(unit_nodes(0.12 / COARSE)).T
        factors, delays = discount * horizon * w * np.exp(-discount * horizon * s), horizon * s
        whole = _purchases(process.r + x, ages, np.array([horizon]), p, weights)[:, 0]
        direct = np.exp(-discount * horizon) * whole
    total: Numbers = direct + _purchases(process.r + x, ages, delays, p, weights) @ factors
    return total


def _purchases(rate: float, ages: Numbers, delays: Numbers, p: Numbers, weights: Numbers) -> Numbers:
    """Expected purchases if alive, shape (ages, delays); `p` and `weights` have shape (nodes,)."""
    reach = delays[None, :, None] / ages[:, None, None] * p
    counts: Numbers = -np.expm1(-rate * np.log1p(reach)) @ (weights / p)
    return counts
