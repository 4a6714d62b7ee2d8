"""Killed at every step of its work, a delivery loses nothing: each alert is accepted, or has its one outcome.

What was accepted a moment before the end may be sent again, under the same webhook-id, and nothing else.
"""

import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import DAY_MS, HOUR_MS
from stream.deliver.plan.outcome import OUTCOMES
from stream.deliver.plan.verdict import Answer
from tests.support.alert_bodies import ENDS, NOW_MS, alert_body
from tests.support.crash_points import CrashPoints, KilledError
from tests.support.deliver_world import DOWN, OK, World, endpoint

BODIES = [
    alert_body("c1"),
    alert_body("c2", expires_ms=NOW_MS + 4_000),
    alert_body("c3"),
    alert_body("c3", "cleared"),
    alert_body("c1", "escalated"),
    alert_body("c4", tier="gold"),
]


def flaky(attempt):
    """c1's first alert and c2's fail for a while."""
    return DOWN if attempt.customer in {"c1", "c2"} and attempt.at_ms < NOW_MS + 6_000 else OK


async def deliver(world: World) -> None:
    """All of a small topic, with nothing left to do at the end."""
    world.read()
    await world.run_for(HOUR_MS)


async def killed_at(folder, step: int) -> tuple[World, bool]:
    """A world in which the process died at a step and another one went on; and whether it came so far."""
    world = World(folder, flaky)
    world.write(*BODIES)
    world.points.at = step
    with suppress(KilledError):
        await deliver(world)
    was_killed = world.points.dead
    world.restart()
    await deliver(world)
    return world, was_killed


async def test_killed_at_every_step_each_alert_has_one_outcome_and_is_sent_twice_only_around_the_end(
    tmp_path,
):
    step, twice = 0, 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        world, was_killed = await killed_at(folder, step)
        if not was_killed:
            break
        assert world.ends()[0] == "accepted", step
        assert world.ends()[1] == "expired"
        assert world.ends()[4:] == ["accepted", "accepted"]
        assert world.ends()[2:4] in (["superseded", "superseded"], ["accepted", "accepted"])
        repeated = Counter(each.id for each in world.accepted)
        twice += max(repeated.values()) > 1
        assert sum(repeated.values()) - len(repeated) <= 16  # those under way when it died
        assert all(each.at_ms < NOW_MS + 4_000 for each in world.attempts if each.customer == "c2")
        world.database.close()

    assert step > 40
    assert twice, "no step lay between an accepted answer and its row: the walk is not complete"


class _Machine:
    """Random alerts, receivers, pauses and crashes; checks the laws at the end."""

    def __init__(self, folder, seed: int) -> None:
        self.draw = random.Random(seed)
        self.crashes = 0
        self.episodes: dict[str, tuple[int, str]] = {}
        self.world = World(folder, self.answer, endpoint("crm"), endpoint("mail", concurrency=2))
        self.moods = {"crm": OK, "mail": OK}

    def answer(self, attempt) -> Answer:
        if self.draw.random() < 0.1:
            return DOWN
        return self.moods[attempt.endpoint]

    def next_body(self) -> bytes:
        customer = f"c{self.draw.randrange(4)}"
        number, state = self.episodes.get(customer, (0, "cleared"))
        if state in ENDS:
            number, state = number + 1, "raised"
        else:
            state = self.draw.choice([*ENDS, *(["escalated"] * 3 if state == "raised" else [])])
        self.episodes[customer] = number, state
        expires_ms = self.world.now_ms + self.draw.choice([HOUR_MS, DAY_MS, 40 * DAY_MS])
        return alert_body(customer, state, episode=number, at_ms=self.world.now_ms, expires_ms=expires_ms)

    async def act(self) -> None:
        world = self.world
        world.points = world.points if world.points.at else CrashPoints()
        if self.draw.random() < 0.3:
            world.restart()
            world.points.at = self.draw.randrange(1, 60)
        try:
            if self.draw.random() < 0.7:
                world.write(*(self.next_body() for _ in range(self.draw.randrange(1, 6))))
            self.moods[self.draw.choice(["crm", "mail"])] = self.draw.choice(
                [OK, OK, DOWN, Answer(500, "status"), Answer(429, "status", retry_after="600")]
            )
            world.read()
            await world.run_for(self.draw.choice([0, 1_000, HOUR_MS, 12 * HOUR_MS]))
        except KilledError:
            self.crashes += 1
            world.restart()

    async def finish(self) -> None:
        self.world.restart()
        self.moods = {"crm": OK, "mail": OK}
        self.world.read()
        await self.world.run_for(60 * DAY_MS)


@pytest.mark.slow
@given(st.integers(0, 1 << 32))
def test_whatever_happens_each_alert_ends_once_in_order_and_none_after_its_expiry(tmp_path_factory, seed):
    import asyncio

    asyncio.run(_walk(_Machine(tmp_path_factory.mktemp("queue"), seed)))


async def _walk(machine: _Machine) -> None:
    for _ in range(25):
        await machine.act()
    await machine.finish()
    world = machine.world
    listed = world.deliveries()

    assert len(listed) == 2 * len(world.topic)
    assert {each.outcome for each in listed} <= set(OUTCOMES)
    accepted = Counter((each.endpoint, each.id) for each in world.accepted)
    known = {(each.endpoint, each.alert_id): each for each in listed}
    unknown = [key for key in accepted if known[key].outcome != "accepted"]
    assert len(unknown) <= 32 * machine.crashes  # it died with the answer, and the alert expired meanwhile
    assert all((each.endpoint, each.alert_id) in accepted for each in listed if each.outcome == "accepted")
    assert sum(accepted.values()) - len(accepted) <= 32 * machine.crashes
    superseded = {key for key, each in known.items() if each.outcome == "superseded"}
    assert not superseded & {(each.endpoint, each.id) for each in world.attempts}
    order = {key: number for number, key in enumerate(known)}
    last: dict[tuple[str, str], int] = {}
    for each in world.attempts:
        expires_ms = each.claim.alert.expires_ms
        assert expires_ms is None or each.at_ms < expires_ms
        place = order[each.endpoint, each.id]
        assert place >= last.get((each.endpoint, each.customer), 0), "out of order"
        last[each.endpoint, each.customer] = place
    world.database.close()
