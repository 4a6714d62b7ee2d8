"""A customer who is erased: what was stored of their alerts goes at once, what a receiver began is ended."""

from stream.core.events.event import CustomerErased
from stream.core.facts.profile import ERASURE_GRACE_MS
from stream.core.units import DAY_MS, HOUR_MS, SECOND_MS
from stream.deliver.decide import read_control
from stream.deliver.queue.erasure import forget_erased
from stream.deliver.queue.listing import Selection
from stream.deliver.queue.resend import resend
from stream.deliver.queue.rows import ReadErasure
from stream.wire import encode_event, encode_event_binary
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.builders import erased
from tests.support.deliver_world import DOWN, OK, World


def stored(world: World) -> bytes:
    """All that the file holds, also in pages that are free."""
    world.database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(path.read_bytes() for path in sorted(world.folder.glob("queue.db*")))


async def test_bodies_of_alerts_that_were_delivered_are_gone_at_once_and_others_stay(tmp_path):
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("Zoe"), alert_body("Max"))
    await world.send(alert_body("Zoe", "cleared"))
    assert b'"subject":"Zoe"' in stored(world)

    world.erase("Zoe")

    assert b'"subject":"Zoe"' not in stored(world)
    assert b'"subject":"Max"' in stored(world)
    assert world.ends() == ["accepted"] * 3


async def test_a_body_that_is_gone_is_not_left_in_the_log_of_the_queue_either(tmp_path):
    mood = [DOWN]
    world = World(tmp_path, lambda _: mood[0])
    await world.send(alert_body("Zoe"))
    world.erase("Max")
    assert b'"subject":"Zoe"' in b"".join(path.read_bytes() for path in tmp_path.rglob("queue.db*"))
    mood[0] = OK
    world.erase("Zoe")
    await world.send(alert_body("Zoe", "retracted"))
    await world.run_for(HOUR_MS)

    assert b'"subject":"Zoe"' not in b"".join(path.read_bytes() for path in tmp_path.rglob("queue.db*"))


async def test_what_was_never_attempted_is_not_sent_and_neither_is_its_end(tmp_path):
    world = World(tmp_path, lambda _: OK)
    world.write(alert_body("Zoe"))
    world.read()
    world.erase("Zoe")
    await world.send(alert_body("Zoe", "retracted"))
    await world.run_for(HOUR_MS)

    assert world.attempts == []
    assert world.ends() == ["suppressed/erased", "superseded"]
    assert b'"subject":"Zoe"' not in stored(world)


async def test_what_a_receiver_may_have_begun_is_ended_and_then_that_body_goes_as_well(tmp_path):
    mood = [DOWN]
    world = World(tmp_path, lambda _: mood[0])
    await world.send(alert_body("Zoe"), alert_body("Zoe", kind="churn_risk"))
    world.erase("Zoe")
    await world.send(alert_body("Zoe", "retracted"))
    assert b'"subject":"Zoe"' in stored(world)

    mood[0] = OK
    await world.run_for(HOUR_MS)

    assert [each.state for each in world.accepted] == ["retracted"]
    assert world.ends() == ["suppressed/erased", "suppressed/erased", "accepted"]
    assert b'"subject":"Zoe"' not in stored(world)


async def test_alerts_that_are_read_after_the_erasure_but_are_older_are_not_kept(tmp_path):
    """The two topics are read independently; and a retraction may be dated after a late erasure."""
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("Zoe"))
    world.erase("Zoe", NOW_MS - 90 * DAY_MS)
    await world.send(
        alert_body("Zoe", "escalated", at_ms=NOW_MS - 91 * DAY_MS),
        alert_body("Zoe", "retracted"),
        written_ms=NOW_MS - 91 * DAY_MS,
    )
    await world.run_for(SECOND_MS)

    assert [each.state for each in world.accepted] == ["raised", "retracted"]
    assert b'"subject":"Zoe"' not in stored(world)


async def test_somebody_who_comes_back_gets_alerts_again(tmp_path):
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("Zoe"))
    world.erase("Zoe", NOW_MS - 40 * DAY_MS)
    await world.send(alert_body("Zoe", episode=2))
    await world.run_for(HOUR_MS)

    assert world.ends() == ["accepted", "accepted"]
    assert b'"subject":"Zoe"' in stored(world)


async def test_an_erased_alert_is_not_sent_again(tmp_path):
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("Zoe"))
    world.erase("Zoe")
    done = resend(world.database, Selection(("accepted",)), world.now_ms)

    assert (done.queued, done.staying) == (0, {"erased": 1})


async def test_ids_go_a_week_later_when_the_outcomes_are_written(tmp_path):
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("Zoe"), alert_body("Max"))
    world.erase("Zoe")
    forget_erased(world.database, world.now_ms + ERASURE_GRACE_MS + 1)
    assert b"Zoe" in stored(world), "the outcome is not on the deliveries topic yet"

    world.report()
    forget_erased(world.database, world.now_ms + ERASURE_GRACE_MS + 1)

    assert b"Zoe" not in stored(world)
    assert len(world.ends()) == 1


async def test_an_erasure_that_is_read_again_changes_nothing(tmp_path):
    world = World(tmp_path, lambda _: OK)
    world.erase("Zoe")
    world.erasures = 0
    await world.send(alert_body("Zoe", at_ms=NOW_MS + 2 * DAY_MS))
    world.erase("Zoe", NOW_MS + 3 * DAY_MS)

    assert b'"subject":"Zoe"' in stored(world), "the offset of that erasure is past"


class Message:
    """A record of Kafka."""

    def __init__(self, value, headers=None):
        self._value, self._headers = value, headers

    def key(self):
        return b"c"

    def value(self):
        return self._value

    def headers(self):
        return self._headers


def test_erasures_are_read_in_both_modes_and_nothing_else_is():
    event = erased(3.0)
    assert isinstance(event, CustomerErased)
    headers, value = encode_event_binary(event)
    other = encode_event(event).replace(b"customer.erased", b"clock.ticked")

    assert read_control(0, 7, Message(encode_event(event))) == ReadErasure(0, 7, "c", event.time_ms)
    assert read_control(0, 7, Message(value, headers)) == ReadErasure(0, 7, "c", event.time_ms)
    for wrong in (None, b"{", b'"customer.erased"', other):
        assert read_control(0, 7, Message(wrong)) is None
