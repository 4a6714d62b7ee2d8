"""The tables of the hard functions, many cells at once: the nodes of stream.core.clv, ten times faster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.core.clv import discount_per_unit
from stream.core.lifetime import AGE_KNOTS, AGE_MAX_MS, COARSE, FREQUENCIES
from stream.core.model import YEAR_MS, PurchaseProcess, Table
from stream.core.quadrature import beta_nodes, half_line_nodes, unit_nodes

Numbers = NDArray[np.float64]


def fast_table(process: PurchaseProcess, horizon_ms: int | None, annual_discount: float) -> Table:
    """What stream.core.lifetime.table makes, to the last digits of the arithmetic."""
    discount = discount_per_unit(process, annual_discount, YEAR_MS)
    horizon = None if horizon_ms is None else horizon_ms / process.unit_ms
    start = float(np.log(process.alpha))
    step = (float(np.log(process.alpha + AGE_MAX_MS / process.unit_ms)) - start) / (AGE_KNOTS - 1)
    log_ages = start + step * np.arange(AGE_KNOTS)
    span = 1.0 / discount if horizon is None else _span(discount, horizon)
    rows = []
    for x in FREQUENCIES:
        g = _discounted(process, x, np.exp(log_ages), discount, horizon)
        ratios = np.log(g / span / (process.r + x)) + log_ages
        rows.append(tuple(float(f"{ratio:.11g}") for ratio in ratios))
    return Table(
        horizon_ms=horizon_ms,
        annual_discount=annual_discount,
        frequencies=FREQUENCIES,
        log_age_start=start,
        log_age_step=step,
        rows=tuple(rows),
    )


def _discounted(
    process: PurchaseProcess, x: int, ages: Numbers, discount: float, horizon: float | None
) -> Numbers:
    """Discounted purchases if alive, for customers of one frequency and many ages (alpha + T)."""
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
    """Expected purchases if alive: rows are ages, columns are horizons."""
    reach = delays[None, :, None] / ages[:, None, None] * p
    counts: Numbers = -np.expm1(-rate * np.log1p(reach)) @ (weights / p)
    return counts


def _span(discount: float, horizon: float) -> float:
    return float(-np.expm1(-discount * horizon) / discount) if discount > 0.0 else horizon
