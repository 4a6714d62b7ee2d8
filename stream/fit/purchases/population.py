"""Distributions of features over all customers, in which one customer's rank can be looked up."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.core.model.record import MidRanks, Population
from stream.fit.arrays import Numbers

KNOTS = 101
"""Points of a distribution in the record: its percentiles and both ends."""


def mid_ranks(values: Numbers, knots: int = KNOTS) -> MidRanks:
    """The mid-rank of each distinct value of shape (customers,); of `knots` values where there are more."""
    distinct, counts = np.unique(values, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2.0) / counts.sum()
    if len(distinct) > knots:
        wanted = np.linspace(ranks[0], ranks[-1], knots)
        chosen = np.unique(np.searchsorted(ranks, wanted).clip(0, len(distinct) - 1))
        distinct, ranks = distinct[chosen], ranks[chosen]
    return MidRanks(values=rounded(distinct), ranks=rounded(ranks))


def population(
    inactive_days: Numbers, frequency: Numbers, monetary_minor: Numbers, decayed_value_minor: Numbers
) -> Population:
    """The distributions of four features, each of shape (customers,), as of one instant."""
    return Population(
        customers=len(frequency),
        inactive_days=mid_ranks(inactive_days),
        frequency=mid_ranks(frequency),
        monetary_minor=mid_ranks(monetary_minor),
        value_quantiles=rounded(np.quantile(decayed_value_minor, np.linspace(0.0, 1.0, KNOTS))),
    )


def rounded(values: Any) -> tuple[float, ...]:
    """Nine significant digits; more would only make the record longer."""
    return tuple(float(f"{value:.9g}") for value in values)
