"""What users of Convoy complain of, by the number of the issue at github.com/frain-dev/convoy."""

from itertools import pairwise

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from stream.deliver.plan.tokens import Rate
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint


async def test_1525_events_of_one_customer_come_in_another_order(tmp_path):
    failing = {"raised": 3, "escalated": 2}

    def flaky(attempt):
        failing[attempt.state] = failing.get(attempt.state, 0) - 1
        return OK if failing[attempt.state] < 0 else DOWN

    world = World(tmp_path, flaky)
    await world.send(alert_body())
    await world.send(alert_body(state="escalated"), alert_body(state="cleared"))
    await world.run_for(DAY_MS)

    assert [each.state for each in world.accepted] == ["raised", "escalated", "cleared"]


async def test_1667_retries_stop_although_the_endpoint_is_back(tmp_path):
    world = World(tmp_path, lambda a: OK if a.at_ms > NOW_MS + 3 * HOUR_MS else DOWN)
    await world.send(*(alert_body(f"c{n}") for n in range(40)))
    for _ in range(6):
        await world.run_for(HOUR_MS)
        world.restart()
    await world.run_for(10 * HOUR_MS)

    assert set(world.ends()) == {"accepted"}


async def test_1811_and_1833_retries_never_end(tmp_path):
    world = World(tmp_path, lambda a: DOWN)
    await world.send(alert_body(state="cleared"))  # it has no expirytime
    await world.run_for(30 * DAY_MS)

    assert world.ends() == ["parked"]
    assert len(world.attempts) == 10


async def test_1927_a_rate_limit_without_effect(tmp_path):
    world = World(tmp_path, lambda a: OK, endpoint(rate=Rate(per_minute=10, burst=1), concurrency=64))
    await world.send(*(alert_body(f"c{n}") for n in range(60)))
    await world.run_for(10 * MINUTE_MS)

    instants = sorted(each.at_ms for each in world.attempts)
    assert len(instants) == 60
    assert min(later - first for first, later in pairwise(instants)) >= 5_999
