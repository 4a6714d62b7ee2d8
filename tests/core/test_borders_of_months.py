"""A border of months wakes only those customers whose judgement changes there."""

from datetime import UTC, datetime

import pytest

from stream.core.units import DAY_MS
from stream.importing.generated.kinds.history import kind_history
from tests.support.seasons import counts_at_borders, seasonal_basis

SURPLUS_MAX = 1.2
"""So many reviews at a border for each judgement that changes there, at most."""
UNTIL_MS = round(datetime(2024, 12, 31, tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.slow
@pytest.mark.parametrize("horizon_days", [91, 182])
def test_at_borders_of_months_hardly_anybody_is_reviewed_whose_judgement_does_not_change(horizon_days):
    _, events = kind_history("christmas", 1, 2_000)
    basis = seasonal_basis(horizon_days)

    found, profiles, _ = counts_at_borders(events, basis, UNTIL_MS)

    asked = {at_ms: (one.reviews, one.changes) for at_ms, one in found.items()}
    assert sum(one.changes for one in found.values()) > 150, asked
    whole = sum(one.reviews for one in found.values())
    assert whole <= SURPLUS_MAX * sum(one.changes for one in found.values()), asked
    busiest = max(found.values(), key=lambda one: one.reviews)
    assert busiest.reviews <= SURPLUS_MAX * busiest.changes, asked
    assert busiest.reviews < len(profiles)


def test_a_border_at_which_nothing_changes_wakes_nobody():
    _, events = kind_history("christmas", 1, 60)

    found, _, _ = counts_at_borders(events, seasonal_basis(), UNTIL_MS - 30 * DAY_MS)

    for at_ms, one in found.items():
        assert one.reviews <= one.changes + 1, at_ms
