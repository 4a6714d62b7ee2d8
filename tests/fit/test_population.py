"""Ranks in the population against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.fit.purchases.population import mid_ranks


@given(st.lists(st.integers(0, 400), min_size=1, max_size=500))
def test_mid_ranks_of_knots_are_exact(values):
    data = np.array(values, float)
    ranks = mid_ranks(data)

    for value in ranks.values:
        exact = ((data < value).sum() + (data <= value).sum()) / 2 / len(data)
        assert ranks.rank(value) == pytest.approx(exact, abs=1e-8)
