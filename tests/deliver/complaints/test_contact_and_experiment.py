"""What users of marketing tools complain of about contacts and experiments."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from stream.analysis.statistics.two_arms import TIGHTEST_AT, share_difference, smallest_visible_share
from stream.core.policy.arms import assigned
from stream.core.units import DAY_MS
from stream.deliver.plan.quiet import QuietHours
from stream.policy_file import parse_policy
from tests.support.alert_bodies import alert_body
from tests.support.deliver_world import OK, World, endpoint
from tests.support.narrow import not_none

EXPERIMENT = '[experiment]\nshare = 0.5\nsalt = "s"\nbegins = "2025-01-01"\nperiod = "90d"\n'
YEAR_2025_MS = 1_735_689_600_000


async def test_brazes_control_group_does_not_cover_what_an_api_triggers(tmp_path):
    """The arm is in the alert, so no endpoint of any tool gets one about somebody who is held out."""
    world = World(tmp_path, lambda attempt: OK, *(endpoint(name) for name in ("braze", "api", "chat")))
    await world.send(alert_body("h", arm="held_out"), alert_body("t", arm="treated"))

    assert {each.customer for each in world.attempts} == {"t"}
    assert len(world.attempts) == 3
    for name in ("braze", "api", "chat"):
        assert world.ends(endpoint=name, customer="h") == ["suppressed/holdout"]


async def test_pinpoint_sends_at_night_to_customers_whose_zone_is_not_known(tmp_path):
    berlin = ZoneInfo("Europe/Berlin")
    night = QuietHours(21 * 60, 8 * 60, berlin)
    world = World(tmp_path, lambda attempt: OK, endpoint(quiet=night))
    for hour in range(24):
        world.now_ms = YEAR_2025_MS + hour * 3_600_000
        await world.send(alert_body(f"c{hour}", at_ms=world.now_ms))
    await world.run_for(DAY_MS)

    hours = {
        datetime.fromtimestamp(each.at_ms / 1_000, UTC).astimezone(berlin).hour for each in world.attempts
    }
    assert len(world.attempts) == 24
    assert hours == set(range(8, 21))


def test_a_group_that_is_held_out_for_years_drifts_apart():
    policy = parse_policy(EXPERIMENT)
    names = [f"c{n}" for n in range(400)]
    ever_treated = {
        name
        for name in names
        for period in range(12)
        if not_none(assigned(policy, name, "churn_risk", "gold", YEAR_2025_MS + period * 90 * DAY_MS)).arm
        == "treated"
    }

    assert len(ever_treated) >= 398, "nobody is left alone for ever"


def test_growthbooks_page_makes_the_range_for_all_looks_narrower_than_for_one():
    """It prints rho + alpha^2 where it must be rho x alpha^2."""
    half = TIGHTEST_AT // 2
    for n in (half // 10, half, 20 * half):
        found = not_none(share_difference(n // 2, n, n // 2, n))
        assert found.high - found.low > 1.5 * (found.once_high - found.once_low)


def test_a_tenth_held_out_is_too_few_in_a_small_shop():
    assert smallest_visible_share(0.4, 900, 100) > 0.14
