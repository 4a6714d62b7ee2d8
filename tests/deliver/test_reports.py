"""Each outcome is written to the deliveries topic, at least once and under the same id each time."""

import msgspec

from stream.contracts.registry import contracts
from stream.core.alerts.delivery import DeliveryRecord
from stream.core.units import DAY_MS
from stream.deliver.plan.admission import Filter
from stream.deliver.queue.listing import Selection
from stream.deliver.queue.reports import mark_reported, unreported
from stream.deliver.queue.resend import resend
from stream.wire import encode_alert
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint


async def test_every_outcome_is_written_once_with_its_reason_and_time(tmp_path):
    gold = endpoint(wanted=Filter(tiers=("gold",)))
    world = World(tmp_path, lambda a: OK if a.customer == "c1" else DOWN, gold)
    await world.send(
        alert_body("c1", tier="gold", arm="treated"),
        alert_body("c2", tier="gold", expires_ms=NOW_MS + 40 * DAY_MS),
        alert_body("c3", tier="silver"),
    )
    first = world.report()
    await world.run_for(5 * DAY_MS)
    rest = world.report()

    assert [(each.subject, each.data.outcome, each.data.reason) for each in first] == [
        ("c1", "accepted", ""),
        ("c3", "suppressed", "filter"),
    ]
    assert [(each.subject, each.data.outcome, each.data.attempts) for each in rest] == [("c2", "parked", 10)]
    assert rest[0].data.sent_at == "2025-11-30T10:53:20.000Z" < rest[0].data.at
    assert [each.data.sent_at for each in first] == ["2025-11-30T10:53:20.000Z", None]
    assert first[0].data.arm == "treated"
    assert first[0].time == first[0].data.at == "2025-11-30T10:53:20.000Z"
    assert first[0].correlationid == first[0].data.episode == "at_risk_loyal|c1|1|1"
    assert world.report() == []


async def test_what_was_not_acknowledged_is_written_again_under_the_same_id(tmp_path):
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("c1"), alert_body("c2"))
    lost = unreported(world.database, world.now_ms)
    world.restart()
    again = world.report()

    assert [each.record for each in lost] == again


async def test_an_alert_that_is_sent_again_gets_another_record_when_it_has_ended(tmp_path):
    mood = [DOWN]
    world = World(tmp_path, lambda _: mood[0])
    await world.send(alert_body("c1", expires_ms=NOW_MS + 90 * DAY_MS))
    await world.run_for(5 * DAY_MS)
    (parked,) = reports = unreported(world.database, world.now_ms)
    resend(world.database, Selection(("parked",)), world.now_ms)
    mark_reported(world.database, reports)
    mood[0] = OK
    await world.run_for(DAY_MS)
    (accepted,) = world.report()

    assert (parked.record.data.outcome, accepted.data.outcome) == ("parked", "accepted")
    assert parked.record.id != accepted.id
    assert accepted.causationid == parked.record.causationid
    assert accepted.data.at > parked.record.data.at


async def test_records_are_of_the_published_contract(tmp_path):
    assert [each.topic for each in contracts() if each.struct is DeliveryRecord] == ["deliveries"]
    world = World(tmp_path, lambda _: OK)
    await world.send(alert_body("c1"))
    for each in world.report():
        assert msgspec.json.decode(encode_alert(each), type=DeliveryRecord) == each
