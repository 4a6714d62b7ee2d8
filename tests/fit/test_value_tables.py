"""The fast tables of the fit against the core's own."""

import pytest

from stream.core.model.record import PurchaseProcess
from stream.core.units import DAY_MS
from stream.core.value.tables import grid_table
from stream.fit.purchases.value_tables import fast_table


def test_fast_tables_are_those_of_the_core():
    process = PurchaseProcess(kind="bgnbd", r=0.3, alpha=5.0, a=1.0, b=2.5)

    fast, slow = fast_table(process, 365 * DAY_MS, 0.1), grid_table(process, 365 * DAY_MS, 0.1)

    assert fast.frequencies == slow.frequencies
    for one, other in zip(fast.rows, slow.rows, strict=True):
        assert one == pytest.approx(other, abs=1e-9)
