"""Deliveries under a simulated clock: every alert has one outcome, in order, none after its expiry."""

from datetime import UTC

import pytest

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stream.deliver.plan.admission import Filter
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.plan.tokens import Rate
from stream.deliver.plan.verdict import Answer
from stream.deliver.queue.attempts import disable
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint


def accepts(attempt):
    return OK


def is_down(attempt):
    return DOWN


def down_for(span_ms):
    """A receiver that nobody reaches until then."""
    return lambda attempt: OK if attempt.at_ms >= NOW_MS + span_ms else DOWN


async def test_an_alert_is_sent_once(tmp_path):
    world = World(tmp_path, accepts)
    await world.send(alert_body())
    await world.run_for(10 * DAY_MS)

    assert len(world.attempts) == 1
    assert world.ends() == ["accepted"]
    assert world.outcomes == {("crm", "accepted", ""): 1}


async def test_the_same_alert_twice_on_the_topic_is_sent_once(tmp_path):
    world = World(tmp_path, accepts)
    await world.send(alert_body(), alert_body())
    await world.send(alert_body())

    assert len(world.attempts) == 1


async def test_a_receiver_that_is_down_for_75_hours_gets_every_alert_that_has_not_expired(tmp_path):
    world = World(tmp_path, down_for(75 * HOUR_MS))
    short, long = NOW_MS + 74 * HOUR_MS, NOW_MS + 90 * DAY_MS
    bodies = [alert_body(f"c{n}", expires_ms=short if n % 5 == 0 else long) for n in range(50)]
    for first in range(0, 50, 10):
        await world.send(*bodies[first : first + 10])
        await world.run_for(10 * HOUR_MS)
    await world.run_for(80 * HOUR_MS)

    assert world.ends() == ["expired" if n % 5 == 0 else "accepted" for n in range(50)]
    assert len({each.id for each in world.accepted}) == len(world.accepted) == 40


async def test_a_receiver_that_never_comes_back_ends_each_alert(tmp_path):
    world = World(tmp_path, is_down)
    await world.send(
        *(alert_body(f"c{n}", state="raised", expires_ms=NOW_MS + 60 * DAY_MS) for n in range(3))
    )
    await world.run_for(20 * DAY_MS)

    assert set(world.ends()) == {"parked"}
    assert {each.attempts for each in world.deliveries()} == {10}


async def test_an_endpoint_at_which_all_fails_for_five_days_is_disabled_and_keeps_its_alerts(tmp_path):
    world = World(tmp_path, is_down)
    for _ in range(8):
        await world.send(*(alert_body(f"c{world.now_ms}{n}", at_ms=world.now_ms) for n in range(5)))
        await world.run_for(DAY_MS)

    assert world.disabled_for == {"crm": "every attempt of five days failed"}
    assert "disabled" in world.ends()
    await world.send(alert_body("later", at_ms=world.now_ms))
    assert world.ends(customer="later") == ["disabled"]


async def test_a_gone_endpoint_is_disabled_and_others_go_on(tmp_path):
    def gone(attempt):
        return Answer(410, "status") if attempt.endpoint == "crm" else OK

    world = World(tmp_path, gone, endpoint("crm", concurrency=1), endpoint("mail"))
    await world.send(*(alert_body(f"c{n}") for n in range(5)))

    assert world.ends(endpoint="crm") == ["disabled"] * 5
    assert world.ends(endpoint="mail") == ["accepted"] * 5
    assert sum(each.endpoint == "crm" for each in world.attempts) == 1
    assert "410" in world.disabled_for["crm"]


async def test_a_command_that_disables_an_endpoint_stops_it_at_once(tmp_path):
    world = World(tmp_path, accepts)
    await world.send(alert_body("c1"))
    disable(world.database, "crm", "by hand", world.now_ms)
    await world.send(alert_body("c2"))
    await world.run_for(SECOND_MS)

    assert world.ends() == ["accepted", "disabled"]
    assert len(world.attempts) == 1


async def test_alerts_of_a_customer_come_in_order_and_other_customers_pass(tmp_path):
    world = World(tmp_path, lambda a: DOWN if a.customer == "c1" and a.at_ms < NOW_MS + 60_000 else OK)
    raised = alert_body("c1")
    await world.send(raised, alert_body("c2"))
    await world.send(alert_body("c1", "escalated"), alert_body("c1", "cleared"), alert_body("c3"))

    assert [each.customer for each in world.accepted] == ["c2", "c3"]
    await world.run_for(HOUR_MS)
    assert [each.state for each in world.accepted if each.customer == "c1"] == [
        "raised",
        "escalated",
        "cleared",
    ]


async def test_without_order_a_failing_alert_holds_nobody_up(tmp_path):
    world = World(tmp_path, lambda a: DOWN if a.state == "raised" else OK, endpoint(ordered=False))
    await world.send(alert_body("c1"), alert_body("c1", kind="churn_risk", state="escalated"))

    assert [each.state for each in world.accepted] == ["escalated"]


async def test_an_episode_that_ended_before_its_first_attempt_is_not_sent(tmp_path):
    world = World(tmp_path, accepts)
    world.write(
        alert_body("c1"), alert_body("c1", "escalated"), alert_body("c1", "cleared"), alert_body("c2")
    )
    world.read()
    await world.turns()

    assert world.ends() == ["superseded", "superseded", "superseded", "accepted"]
    assert [each.customer for each in world.attempts] == ["c2"]


async def test_an_end_follows_an_alert_that_was_attempted_even_if_it_was_never_accepted(tmp_path):
    world = World(tmp_path, lambda a: OK if a.state == "cleared" else DOWN)
    await world.send(alert_body("c1", expires_ms=NOW_MS + DAY_MS))
    await world.send(alert_body("c1", "cleared"))
    await world.run_for(2 * DAY_MS)

    assert world.ends() == ["expired", "accepted"]


async def test_nothing_is_sent_at_or_after_its_expiry(tmp_path):
    world = World(tmp_path, is_down)
    for hours in (1, 3, 12, 30):
        await world.send(alert_body(f"c{hours}", expires_ms=NOW_MS + hours * HOUR_MS))
    await world.run_for(5 * DAY_MS)

    assert set(world.ends()) == {"expired"}
    assert all(each.at_ms < (each.claim.alert.expires_ms or 0) for each in world.attempts)


async def test_a_retry_after_of_two_hours_is_kept_for_all_alerts_of_the_endpoint(tmp_path):
    def busy(attempt):
        if attempt.at_ms < NOW_MS + 2 * HOUR_MS:
            return Answer(429, "status", retry_after="7200")
        return OK

    world = World(tmp_path, busy, endpoint(concurrency=1))
    await world.send(alert_body("c1"))
    await world.run_for(HOUR_MS)
    await world.send(alert_body("c2"))
    await world.run_for(2 * HOUR_MS)

    assert [each.at_ms - NOW_MS for each in world.attempts] == [0, 2 * HOUR_MS, 2 * HOUR_MS]
    assert world.ends() == ["accepted", "accepted"]


async def test_a_hold_is_kept_after_a_restart(tmp_path):
    world = World(tmp_path, lambda a: Answer(503, "status", retry_after="7200"))
    await world.send(alert_body("c1"))
    world.restart()
    await world.send(alert_body("c2"))

    assert len(world.attempts) == 1


async def test_the_breaker_asks_a_dead_endpoint_once_in_a_quarter_of_an_hour(tmp_path):
    world = World(tmp_path, down_for(24 * HOUR_MS))
    await world.send(*(alert_body(f"c{n}") for n in range(400)))
    await world.run_for(24 * HOUR_MS - 1)

    assert len(world.attempts) <= 16 + 24 * 4 + 8
    await world.run_for(75 * HOUR_MS)
    assert set(world.ends()) == {"accepted"}


async def test_the_rate_is_kept(tmp_path):
    world = World(tmp_path, accepts, endpoint(rate=Rate(per_minute=60, burst=5), concurrency=100))
    await world.send(*(alert_body(f"c{n}") for n in range(100)))
    at_once = len(world.attempts)
    await world.run_for(30 * SECOND_MS)
    half = len(world.attempts)
    await world.run_for(2 * MINUTE_MS)

    assert (at_once, half, len(world.attempts)) == (5, 35, 100)


async def test_in_quiet_hours_nothing_begins_but_what_is_over_ends(tmp_path):
    night = QuietHours(0, 23 * 60 + 59, UTC)
    world = World(tmp_path, accepts, endpoint(quiet=night))
    world.now_ms = NOW_MS - NOW_MS % DAY_MS - MINUTE_MS  # a minute before midnight: not quiet
    await world.send(alert_body("c1"))
    world.now_ms += MINUTE_MS
    await world.send(alert_body("c1", "cleared"), alert_body("c2"), alert_body("c3", expires_ms=NOW_MS + 1))
    assert [(each.customer, each.state) for each in world.accepted] == [("c1", "raised"), ("c1", "cleared")]
    world.write(alert_body("c4"), alert_body("c4", "cleared"))
    world.read()

    await world.run_for(DAY_MS)

    assert world.ends() == ["accepted", "accepted", "accepted", "suppressed/quiet_hours", *["superseded"] * 2]
    assert not any(night.holds(each.at_ms) for each in world.attempts if each.state == "raised")


async def test_what_is_filtered_or_held_out_or_history_is_never_sent(tmp_path):
    world = World(tmp_path, accepts, endpoint(wanted=Filter(tiers=("platinum",))))
    await world.send(
        alert_body("c1", tier="gold"),
        alert_body("c2", arm="held_out"),
        alert_body("c3", at_ms=NOW_MS - 4 * DAY_MS),
        alert_body("c4", at_ms=NOW_MS - 2 * DAY_MS),
    )

    assert world.ends() == ["suppressed/filter", "suppressed/holdout", "suppressed/history", "accepted"]


async def test_an_alert_that_was_written_in_time_is_no_history_however_late_it_is_read(tmp_path):
    world = World(tmp_path, accepts)
    world.write(alert_body("c1"))
    world.now_ms += 20 * DAY_MS
    world.read()
    await world.turns()

    assert world.ends() == ["accepted"]


async def test_a_record_that_is_no_alert_is_kept_with_its_reason_and_holds_nobody_up(tmp_path):
    from stream.deliver.queue.listing import unread_records

    world = World(tmp_path, accepts)
    await world.send(None, b"{}", b"\xff", alert_body("c1"))

    count, listed = unread_records(world.database, 10)
    assert count == 3
    assert dict(listed)["customers.alerts.v1/0/0"] == "a record without value"
    assert world.ends() == ["accepted"]


@pytest.mark.parametrize("state", ["raised", "cleared"])
async def test_an_alert_without_any_endpoint_that_wants_it_ends_all_the_same(tmp_path, state):
    world = World(tmp_path, accepts, endpoint(wanted=Filter(kinds=("churn_risk",))))
    await world.send(alert_body("c1", state))

    assert world.ends() == ["suppressed/filter"]
