"""Two processes on one PostgreSQL, one of which is killed at every step of its work: the other ends all."""

from collections import Counter

import pytest

from stream.core.units import HOUR_MS, SECOND_MS
from stream.deliver.queue.postgres import SCHEMA
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.crash_points import KilledError
from tests.support.deliver_postgres import PostgresWorld
from tests.support.deliver_world import DOWN, OK
from tests.support.postgres import postgres

pytestmark = pytest.mark.slow  # it starts a PostgreSQL
BODIES = [
    alert_body("c1"),
    alert_body("c2", expires_ms=NOW_MS + 4_000),
    alert_body("c3"),
    alert_body("c3", "cleared"),
    alert_body("c1", "escalated"),
    alert_body("c4"),
]


def flaky(attempt):
    """c1's first alert and c2's fail for a while."""
    return DOWN if attempt.customer in {"c1", "c2"} and attempt.at_ms < NOW_MS + 6_000 else OK


async def turns(worlds: list[PostgresWorld]) -> bool:
    """What each process does at this instant; whether one of them died."""
    died = False
    for world in list(worlds):
        try:
            world.read()
            await world.turns()
        except KilledError:
            worlds.remove(world)
            died = True
    return died


async def killed_at(url: str, folder, step: int) -> tuple[PostgresWorld, bool]:
    """The process that is left, and whether the other one came to that step."""
    first = PostgresWorld(url, folder, flaky)
    second = first.beside()
    first.write(*BODIES)
    first.points.at = step
    worlds, died = [first, second], False
    for _ in range(8):
        died = await turns(worlds) or died
        for world in worlds:
            world.now_ms += 5 * SECOND_MS
    await second.run_for(HOUR_MS)  # leases of the one that died are over after two minutes
    first.database.close()
    return second, died


@pytest.mark.timeout(1_200)  # some hundred steps, each with a schema of its own
async def test_killed_at_every_step_the_other_process_ends_each_alert_once(tmp_path):
    step = twice = 0
    with postgres() as url:
        while True:
            step += 1
            left, died = await killed_at(url, tmp_path, step)
            if not died:
                break
            ends = left.ends()
            assert [ends[0], *ends[4:]] == ["accepted"] * 3, step
            assert ends[1] == "expired"
            assert ends[2:4] in (["superseded", "superseded"], ["accepted", "accepted"])
            repeated = Counter(each.id for each in left.accepted)
            twice += max(repeated.values()) > 1
            assert sum(repeated.values()) - len(repeated) <= 16, "only what was under way"
            assert all(each.at_ms < NOW_MS + 4_000 for each in left.attempts if each.customer == "c2")
            order = [each.state for each in left.attempts if each.customer == "c1"]
            assert order == sorted(order, key=["raised", "escalated"].index), "in order, side by side as well"
            records = Counter(each.data.alert_id for each in left.report())
            assert set(records.values()) == {1}
            assert len(records) == len(BODIES)
            left.database.run(f"DROP SCHEMA {SCHEMA} CASCADE")
            left.database.close()

    assert step > 30
    assert twice, "no step lay between an accepted answer and its row: the walk is not complete"
