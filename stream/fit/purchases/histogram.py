"""The sufficient statistics of a population: the number of customers with each (x, t_x, T)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stream.fit.arrays import Counts, Numbers


@dataclass(frozen=True)
class Histogram:
    """Cells of customers with the same history; all arrays have shape (cells,), times are in model units."""

    x: Numbers
    """Frequency: purchase days after the first."""
    t_x: Numbers
    """Recency: time from the first to the last purchase."""
    T: Numbers
    """Age: time from the first purchase to the day of the snapshot."""
    customers: Numbers

    @cached_property
    def different_x(self) -> tuple[Numbers, Counts]:
        """The frequencies that there are, each once, and the place of each cell's own among them."""
        found, places = np.unique(self.x, return_inverse=True)
        return found, places

    @property
    def total(self) -> int:
        """Customers in all cells."""
        return int(self.customers.sum())

    @property
    def repeaters(self) -> int:
        """Customers who bought again at least once."""
        return int(self.customers[self.x > 0].sum())


def histogram(x: Numbers, t_x: Numbers, T: Numbers, digits: int = 6) -> Histogram:
    """Count customers (arrays of shape (customers,)) in cells; times are rounded to 1e-6 weeks (0.6 s)."""
    rows = np.column_stack([x, np.round(t_x, digits), np.round(np.maximum(T, t_x), digits)])
    cells, customers = np.unique(rows, axis=0, return_counts=True)
    return Histogram(cells[:, 0], cells[:, 1], cells[:, 2], customers.astype(np.float64))
