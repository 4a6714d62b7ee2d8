"""The sufficient statistics of a population: how many customers share each (x, t_x, T)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.fit.arrays import Numbers


@dataclass(frozen=True)
class Histogram:
    """Cells of equal history, with the number of customers in each; times in model units."""

    x: Numbers
    t_x: Numbers
    T: Numbers
    customers: Numbers

    @property
    def total(self) -> int:
        """Customers in all cells."""
        return int(self.customers.sum())

    @property
    def repeaters(self) -> int:
        """Customers who came back at least once."""
        return int(self.customers[self.x > 0].sum())


def histogram(x: Numbers, t_x: Numbers, T: Numbers, digits: int = 6) -> Histogram:
    """Fold customers into cells; times that agree to 1e-6 of a unit (0.6 s of a week) are one."""
    rows = np.column_stack([x, np.round(t_x, digits), np.round(np.maximum(T, t_x), digits)])
    cells, customers = np.unique(rows, axis=0, return_counts=True)
    return Histogram(cells[:, 0], cells[:, 1], cells[:, 2], customers.astype(np.float64))
