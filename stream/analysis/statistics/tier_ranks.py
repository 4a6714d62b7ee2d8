"""The rank of each value on a ladder of quantiles; equal values have equal ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from stream.fit.arrays import Counts, Numbers


def tier_ranks(values: Numbers, quantiles: Sequence[float]) -> Counts:
    """Rank 0 or more of each value, shape (values,): how many quantiles its share of lower values reaches.

    `quantiles`, ascending, 0 to 1, are those from which the steps above the lowest begin. Equal values stand
    above those that are lower, and above nobody else: a price that all pay is of the lowest rank.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    lower = (rankdata(values, method="min") - 1.0) / len(values)
    ranks: Counts = np.searchsorted(quantiles, lower, side="right").astype(np.int64)
    return ranks
