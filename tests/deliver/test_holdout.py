"""Whoever is held out is never sent anything, and it is known when they would have been."""

from __future__ import annotations

from datetime import UTC
from random import Random

import pytest

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from stream.deliver.plan.admission import Filter
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.plan.tokens import Rate
from stream.deliver.plan.verdict import Answer
from stream.deliver.queue.attempts import disable, enable
from stream.deliver.queue.listing import Selection
from stream.deliver.queue.resend import resend
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint

STATES = ("raised", "escalated", "cleared")


def accepts(attempt):
    return OK


async def test_a_held_out_alert_ends_as_held_out_at_the_moment_at_which_it_would_have_gone(tmp_path):
    minute = NOW_MS // MINUTE_MS % (24 * 60)
    night = QuietHours(minute, (minute + 8 * 60) % (24 * 60), UTC)
    world = World(tmp_path, accepts, endpoint(quiet=night))
    await world.send(alert_body("c1", arm="held_out"), alert_body("c2", arm="treated"))
    assert [each.outcome for each in world.deliveries()] == ["", ""]
    await world.run_for(DAY_MS)

    held_out, treated = world.deliveries()
    assert world.ends() == ["suppressed/holdout", "accepted"]
    assert held_out.ended_ms == treated.ended_ms >= NOW_MS + 7 * HOUR_MS
    assert [each.customer for each in world.attempts] == ["c2"]
    assert (held_out.attempts, treated.attempts) == (0, 1)


async def test_an_end_after_a_held_out_alert_is_held_out_and_without_one_it_supersedes_in_both_arms(tmp_path):
    for arm, ends in (("held_out", ["suppressed/holdout"] * 3), ("treated", ["accepted"] * 3)):
        folder = tmp_path / arm
        folder.mkdir()
        world = World(folder, accepts)
        for state in STATES:
            await world.send(alert_body(state=state, arm=arm))
        assert world.ends() == ends
        at_once = [alert_body("c2", state, arm=arm) for state in STATES]
        await world.send(*at_once)
        assert world.ends(customer="c2") == ["superseded"] * 3


async def test_gates_before_the_moment_end_both_arms_in_the_same_way(tmp_path):
    gates = {
        "filter": endpoint("filter", wanted=Filter(tiers=("gold",))),
        "off": endpoint("off"),
        "open": endpoint("open"),
    }
    world = World(tmp_path, accepts, *gates.values())
    disable(world.database, "off", "by hand", NOW_MS)
    await world.send(alert_body("h", arm="held_out"), alert_body("t", arm="treated"))
    await world.send(
        *(alert_body(f"old-{arm}", arm=arm, at_ms=NOW_MS - 5 * DAY_MS) for arm in ("held_out", "treated"))
    )
    await world.send(
        *(alert_body(f"late-{arm}", arm=arm, expires_ms=NOW_MS) for arm in ("held_out", "treated"))
    )
    await world.run_for(HOUR_MS)

    for name, end in (("filter", "suppressed/filter"), ("off", "disabled")):
        assert world.ends(customer="h", endpoint=name) == world.ends(customer="t", endpoint=name) == [end]
    assert world.ends(customer="h", endpoint="open") == ["suppressed/holdout"]
    for arm in ("held_out", "treated"):
        assert world.ends(customer=f"old-{arm}", endpoint="open") == ["suppressed/history"]
        assert world.ends(customer=f"late-{arm}", endpoint="open") == ["expired"]


async def test_an_endpoint_that_wants_the_treated_only_has_the_moments_of_both_arms(tmp_path):
    world = World(tmp_path, accepts, endpoint(wanted=Filter(arms=("treated",))))
    await world.send(alert_body("h", arm="held_out"), alert_body("t", arm="treated"), alert_body("n"))

    assert world.ends() == ["suppressed/holdout", "accepted", "suppressed/filter"]


async def test_an_endpoint_that_is_left_alone_leaves_both_arms_waiting(tmp_path):
    world = World(tmp_path, lambda attempt: DOWN, endpoint(concurrency=1))
    await world.send(*(alert_body(f"c{n}") for n in range(10)))
    for _ in range(9):
        await world.run_for(1_000)
    assert world.courier.breaker_state("crm") == "open"
    await world.send(alert_body("h", arm="held_out"))

    assert world.ends(customer="h") == [""]


async def test_what_is_held_out_takes_no_part_of_the_rate(tmp_path):
    world = World(tmp_path, accepts, endpoint(rate=Rate(1, 1)))
    await world.send(*(alert_body(f"h{n}", arm="held_out") for n in range(20)), alert_body("t"))
    await world.run_for(MINUTE_MS)

    assert [each.customer for each in world.attempts] == ["t"]


async def test_resend_and_a_restart_send_nothing_of_whoever_is_held_out(tmp_path):
    world = World(tmp_path, accepts)
    disable(world.database, "crm", "by hand", NOW_MS)
    await world.send(alert_body("h", arm="held_out"), alert_body("t", arm="treated"))
    enable(world.database, "crm")
    done = resend(world.database, Selection(("disabled",)), world.now_ms)
    await world.run_for(HOUR_MS)
    world.restart()
    again = resend(world.database, Selection(("suppressed",)), world.now_ms)
    await world.run_for(HOUR_MS)

    assert (done.queued, again.queued, again.staying) == (2, 0, {"held_out": 1})
    assert world.ends() == ["suppressed/holdout", "accepted"]
    assert [each.customer for each in world.attempts] == ["t"]


@pytest.mark.parametrize("seed", range(12))
async def test_no_held_out_customer_is_in_the_receivers_log_whatever_fails(tmp_path, seed):
    random = Random(seed)
    answers = [OK, OK, DOWN, Answer(500, "status"), Answer(429, "status", retry_after="600")]
    minute = random.randrange(24 * 60)
    world = World(
        tmp_path,
        lambda attempt: random.choice(answers[: random.randint(2, 5)]),
        endpoint("crm", quiet=QuietHours(minute, (minute + 300) % (24 * 60), UTC)),
        endpoint("mail", ordered=False),
    )
    arms = {f"c{n}": random.choice(["held_out", "treated", ""]) for n in range(20)}
    for _ in range(12):
        customer = random.choice(list(arms))
        state = random.choice([*STATES, "expired", "retracted"])
        body = alert_body(
            customer, state, episode=random.randint(1, 3), at_ms=world.now_ms, arm=arms[customer]
        )
        await world.send(body)
        await world.run_for(random.choice([0, MINUTE_MS, 7 * HOUR_MS, 2 * DAY_MS]))
        if random.random() < 0.2:
            world.restart()
            enable(world.database, random.choice(["crm", "mail"]))
            resend(world.database, Selection(("disabled", "parked", "suppressed")), world.now_ms)
    await world.run_for(30 * DAY_MS)

    assert {arms[each.customer] for each in world.attempts} <= {"treated", ""}
    assert all(each.outcome for each in world.deliveries())
