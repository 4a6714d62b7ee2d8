"""What users of Outpost complain of, by the number of the issue or change at github.com/hookdeck/outpost."""

from contextlib import suppress

from stream.core.units import DAY_MS, HOUR_MS, SECOND_MS
from stream.deliver.plan.outcome import is_undelivered
from stream.deliver.plan.verdict import Answer
from stream.deliver.queue.attempts import disable, enable
from stream.deliver.queue.listing import Selection
from stream.deliver.queue.resend import resend
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.crash_points import KilledError
from tests.support.deliver_world import DOWN, OK, World, endpoint


async def test_276_a_failure_to_write_the_log_sends_everything_twice(tmp_path):
    """The write after an accepted attempt fails once: that one alert comes again, under its id, no other."""
    world = World(tmp_path, lambda a: OK, endpoint(concurrency=1))
    await world.send(alert_body("c1"), alert_body("c2"))
    world.write(alert_body("c3"))
    world.read()
    with suppress(KilledError):
        await world.courier.turn()
        world.points.at = world.points.passed + 3  # sent and accepted; its row is not written
        await world.turns()
    world.restart()
    await world.turns()

    assert [each.customer for each in world.accepted] == ["c1", "c2", "c3", "c3"]
    assert len({each.id for each in world.accepted}) == 3


async def test_314_an_error_of_the_name_service_is_not_tried_again(tmp_path):
    no_name = Answer(0, "dns", "the name was not found")
    world = World(tmp_path, lambda a: OK if a.at_ms >= NOW_MS + SECOND_MS else no_name)
    await world.send(alert_body())
    await world.run_for(HOUR_MS)

    assert world.ends() == ["accepted"]


async def test_611_events_of_a_disabled_endpoint_vanish(tmp_path):
    world = World(tmp_path, lambda a: OK)
    disable(world.database, "crm", "by hand", world.now_ms)
    await world.send(alert_body("c1"), alert_body("c2"))
    assert world.ends() == ["disabled", "disabled"]

    enable(world.database, "crm")
    done = resend(world.database, Selection(("disabled",), "crm"), world.now_ms)
    await world.run_for(HOUR_MS)

    assert done.queued == 2
    assert world.ends() == ["accepted", "accepted"]


async def test_670_a_retry_by_hand_does_nothing_and_says_nothing(tmp_path):
    world = World(tmp_path, lambda a: OK if a.at_ms >= NOW_MS + 4 * DAY_MS else DOWN)
    bodies = [
        alert_body("kept", expires_ms=NOW_MS + 40 * DAY_MS),
        alert_body("late", expires_ms=NOW_MS + 3 * DAY_MS),
        alert_body("over", expires_ms=NOW_MS + 40 * DAY_MS),
        alert_body("over", "cleared"),
        alert_body("control", arm="held_out"),
    ]
    await world.send(*bodies[:3], bodies[4])
    await world.run_for(4 * DAY_MS)
    await world.send(bodies[3])

    before = len(world.attempts)
    done = resend(world.database, Selection(("parked", "expired", "suppressed")), world.now_ms)
    await world.run_for(DAY_MS)

    assert (done.queued, done.staying) == (1, {"expired": 1, "over": 1, "held_out": 1})
    assert [each.customer for each in world.attempts[before:]] == ["kept"]


async def test_711_what_was_never_delivered_and_why(tmp_path):
    world = World(tmp_path, lambda a: DOWN if a.customer != "fine" else OK)
    await world.send(
        alert_body("fine"),
        alert_body("parked"),
        alert_body("expired", expires_ms=NOW_MS + HOUR_MS),
        alert_body("control", arm="held_out"),
    )
    await world.run_for(10 * DAY_MS)

    bad = [each for each in world.deliveries() if is_undelivered(each.outcome, each.reason)]
    assert {each.customer: (each.outcome, each.attempts > 0, each.detail) for each in bad} == {
        "parked": ("parked", True, DOWN.detail),
        "expired": ("expired", True, DOWN.detail),
    }
