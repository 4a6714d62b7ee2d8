"""Whatever the worker writes it can read again, for any events that the contract allows.

A longer run: `python -m tests.support.reading_back --seconds 600`.
"""

from __future__ import annotations

import pytest

from tests.support.reading_back import ReadingBack

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

LIVES = 40
"""Of each parameter; about a thousand events."""


@pytest.mark.parametrize("first_seed", range(0, 5 * LIVES, LIVES))
def test_absurd_lives_lead_to_rows_and_alerts_that_can_be_read(first_seed):
    reading = ReadingBack(extreme_models=2)

    for seed in range(first_seed, first_seed + LIVES):
        reading.life(seed)

    assert reading.counts["rows"] > LIVES
    assert reading.counts["alerts"] > 0
