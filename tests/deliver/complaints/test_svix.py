"""What users of Svix complain of, by the number of the issue at github.com/svix/svix-webhooks."""

from ipaddress import ip_network

from msgspec import structs

from stream.core.units import HOUR_MS
from stream.deliver.send.client import Client
from tests.support.alert_bodies import alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint
from tests.support.raw_receiver import RawReceiver, endless


async def test_1511_and_1844_the_queue_is_lost_with_the_cache(tmp_path):
    """All that is queued is in the database that holds the offsets; nothing else is needed to go on."""
    moods = [DOWN]
    world = World(tmp_path, lambda a: moods[0])
    await world.send(*(alert_body(f"c{n}") for n in range(30)))
    world.restart()
    moods[0] = OK
    await world.run_for(HOUR_MS)

    assert world.ends() == ["accepted"] * 30


async def test_a_fat_answer_makes_delivery_repeat_for_ever():
    """Of several systems: the answer did not fit the log, so the attempt was never over."""
    async with RawReceiver(endless) as receiver:
        target = endpoint(networks=(ip_network("127.0.0.0/8"),))
        async with Client(structs.replace(target, url=receiver.url)) as client:
            answer = await client.post("id", alert_body(), 0)

    assert answer.accepted
    assert len(answer.excerpt) <= 200
