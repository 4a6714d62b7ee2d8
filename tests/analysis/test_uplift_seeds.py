"""From records to the readout, over a hundred shops: intervals hold what they promise."""

from __future__ import annotations

import pytest

from tests.support.narrow import not_none
from tests.support.trial_shop import TrialShop, written
from tests.support.trial_study import study

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

SEEDS = range(100)


@pytest.mark.parametrize("effect", [0.0, 0.06])
def test_the_truth_is_within_the_interval_in_as_many_shops_as_it_says(effect):
    shops = [
        not_none(
            study(
                written(
                    TrialShop(
                        customers=1_000,
                        seed=seed,
                        effect=dict.fromkeys(("silver", "gold", "platinum"), effect),
                    )
                )
            ).readout.all
        )
        for seed in SEEDS
    ]
    found = [not_none(each.repurchase) for each in shops]

    assert sum(each.once_low <= effect <= each.once_high for each in found) >= 90
    assert sum(each.low <= effect <= each.high for each in found) >= 97
    if not effect:
        assert sum(each.verdict in {"helps", "hurts"} for each in shops) <= 3
        money = [not_none(each.money) for each in shops]
        assert sum(each.once_low <= 0 <= each.once_high for each in money) >= 90
        assert sum(each.low <= 0 <= each.high for each in money) >= 97
