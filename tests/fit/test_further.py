"""What follows the next purchase is learnt by kind of buyers, where seasons are known and it was better."""

import numpy as np
import pytest
from msgspec.structs import replace

from stream.core.model.pace import FURTHER, Further
from stream.core.units import DAY_MS, WEEK_MS, YEAR_MS
from stream.fit.history import History
from stream.fit.value.further import FurtherLook, further_of_looks, learnt_further, lines_of
from stream.model_file import default_model

AHEAD_MS = 26 * WEEK_MS
SAME = Further(levels=(0.0, 0.0), slopes=(0.0, 0.0), ahead_max_ms=YEAR_MS, learnt="")


def look(weeks, factors, day=0, customers=4_000):
    """A look at two kinds of buyers, of whom further purchases come so many times as fast as expected."""
    chance = np.random.default_rng(3)
    shares = np.where(np.arange(customers)[:, None] % 2 == [0, 1], 0.95, 0.05)
    once, more = np.full(customers, 0.5), np.full(customers, weeks / 26)
    further = chance.poisson(shares @ np.array(factors) * more / once)
    bought = np.where(chance.random(customers) < once, 1.0 + further, 0.0)
    return FurtherLook(day * DAY_MS, weeks * WEEK_MS, once, once + more, bought, shares)


def test_factors_of_two_kinds_are_found_again_and_follow_the_time_looked_ahead():
    found = lines_of([look(26, (0.02, 1.1)), look(52, (0.02, 1.5))])

    near, far = (found.factors(weeks * WEEK_MS) for weeks in (26, 52))
    assert near[0] < 0.06
    assert far[0] < 0.06
    assert near[1] == pytest.approx(1.1, rel=0.08)
    assert far[1] == pytest.approx(1.5, rel=0.08)
    assert found.factors(104 * WEEK_MS) == found.factors(52 * WEEK_MS)


def test_where_nobody_came_every_factor_stays_1():
    one = look(26, (1.0, 1.0))

    found = lines_of([one._replace(bought=np.zeros(len(one.bought)))])

    assert found.factors(AHEAD_MS) == pytest.approx((1.0, 1.0))


def test_factors_are_held_to_what_is_no_absurdity_and_expected_numbers_follow_them():
    absurd = replace(SAME, levels=(-9.0, 9.0))
    one = look(26, (1.0, 1.0))

    assert absurd.factors(AHEAD_MS) == FURTHER
    assert one.by(SAME) == pytest.approx(one.expected)
    assert (one.by(replace(SAME, levels=(-9.0, -9.0))) < one.expected).all()


def test_factors_that_predicted_the_newest_look_better_are_used_and_explained():
    looks = [look(26, (0.02, 1.2)), look(26, (0.02, 1.2), day=400)]

    found = further_of_looks(looks, 400 * DAY_MS)

    assert found is not None
    assert found.factors(AHEAD_MS)[0] < 0.1 < found.factors(AHEAD_MS)[1]
    assert "4,000 customers as of 1971-02-05, 26 weeks" in found.learnt
    assert found.learnt == getattr(further_of_looks(looks, 400 * DAY_MS), "learnt", "")


@pytest.mark.parametrize(
    "looks",
    [
        [],
        [look(26, (0.02, 1.2), day=400)],  # nothing was over before the newest day
        [look(26, (0.02, 1.2))],  # no newest look
        [look(26, (0.02, 1.2)), look(26, (1.0, 1.0), day=400)],  # it was otherwise since
        [look(26, (1.0, 1.0)), look(26, (1.0, 1.0), day=400)],  # there is nothing to mend
    ],
)
def test_factors_that_were_not_surely_better_on_the_newest_look_are_not_used(looks):
    assert further_of_looks(looks, 400 * DAY_MS) is None


def test_a_model_without_seasons_learns_none():
    assert learnt_further(History(), {0: (default_model(), [AHEAD_MS])}) is None
    assert learnt_further(History(), {}) is None
