"""The soak of deliver: a round finds nothing in the program, and something in each that is broken."""

import pytest

from tests.faults.broken_deliver import FAULTS
from tests.faults.deliver_soak import one_round

pytestmark = pytest.mark.slow  # each round lasts
FOUND = {"commit_before_queue": "D1", "no_order": "D4", "unbounded_answer": "D7"}


def test_a_round_of_crashes_violates_nothing(mock_broker, tmp_path):
    crashes, found = one_round(mock_broker, tmp_path, 1, seconds=20.0)

    assert found == []
    assert crashes >= 4


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deliver_that_is_broken_is_found(fault, mock_broker, tmp_path):
    _, found = one_round(mock_broker, tmp_path, 7, seconds=20.0, broken=fault)

    assert any(FOUND[fault] in line for line in found), found[:5]
