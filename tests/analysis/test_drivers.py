"""Drivers: bad delivery that makes the best leave is found with its plan, and noise has none."""

import pytest

from stream.analysis.business.drivers import drivers
from stream.analysis.business.incidents import pauses
from stream.analysis.business.ledger import read_ledger
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from tests.support.builders import at, bought
from tests.support.planted import shop

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

POLICY = Policy()
BEST = ("gold and above", "platinum")


def compared(events):
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    ledger = read_ledger(events, (day_ms,), POLICY)
    return drivers(ledger, ledger.history.snapshots[day_ms], POLICY)


def found(events):
    return {(one.tier, one.contrast.name): one for one in compared(events) if one.contrast.found}


@pytest.mark.parametrize(("seed", "how"), [(1, "review"), (2, "complaint")])
def test_bad_delivery_that_makes_the_best_leave_is_found_with_its_plan(seed, how):
    events, fates = shop(seed, 2_500, how=how)

    drivers_found = found(events)

    for tier in BEST:
        driver = drivers_found[tier, "blamed delivery"]
        one = driver.contrast
        share = sum(fates.values()) / len(fates)
        assert 1 < one.low < one.odds_ratio < one.high
        assert one.left_exposed == pytest.approx(share, abs=2.5 * (share * (1 - share) / one.exposed) ** 0.5)
        assert one.left_matched < 0.2
        assert driver.play == "SERVICE_RECOVERY_CALL"
        assert "apologise" in driver.to_do
    assert not [name for tier, name in drivers_found if name.startswith("blamed") and "delivery" not in name]


def test_complaints_without_consequence_are_no_driver():
    for seed in range(3):
        events, _ = shop(50 + seed, planted=False)

        assert not found(events)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_noise_at_most_one_shop_in_twenty_has_any_driver():
    with_any = sum(bool(found(shop(1_000 + seed, 1_000, planted=False)[0])) for seed in range(60))

    assert with_any <= 3


def test_a_pause_ends_with_the_next_purchase_or_with_leaving_and_no_pause_follows():
    days = [0, 10, 20, 30, 120, 130]
    ledger = read_ledger([bought(day, customer="a") for day in days], (), POLICY)

    intervals = pauses(ledger, ["a"], at(400))

    started = (intervals.began - at(0) // DAY_MS).tolist()
    assert started == [20, 30]
    assert (intervals.ended - intervals.began).tolist() == [10, 61]
    assert intervals.left.tolist() == [False, True]
    assert intervals.decided.tolist() == [True, True]


def test_a_pause_that_is_not_over_is_undecided():
    ledger = read_ledger([bought(day, customer="a") for day in (0, 10, 20, 30)], (), POLICY)

    assert pauses(ledger, ["a"], at(60)).decided.tolist() == [True, False]
