"""A broker that is just starting, and a client of Kafka that gives up: a worker never stays without work."""

import asyncio
from contextlib import suppress
from pathlib import Path

import aiokafka
import pytest
from aiokafka.errors import KafkaError

from stream.engine import client_internals as internals
from tests.faults.workers import ToyWorker, make_topics
from tests.support.kafka_broker import Broker
from tests.support.waking_broker import WakingBroker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_a_broker_that_names_no_brokers_at_first_is_waited_for(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    make_topics(broker.bootstrap, prefix)
    waking = WakingBroker(broker.bootstrap, silences=3)
    try:
        worker = ToyWorker(waking.bootstrap, prefix, tmp_path / "log")
        worker.wait_until_open()

        assert waking.left == 0
        assert worker.stop() == 0
    finally:
        waking.close()


@pytest.mark.parametrize(
    ("part", "method"),
    [("_coordinator", "ensure_coordinator_known"), ("_fetcher", "_get_actions_per_node")],
)
def test_the_end_of_a_task_of_the_client_is_noticed(
    broker: Broker, prefix: str, part: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topics(broker.bootstrap, prefix)

    async def seen() -> BaseException | None:
        consumer = aiokafka.AIOKafkaConsumer(
            f"{prefix}.purchases", bootstrap_servers=broker.bootstrap, group_id=prefix
        )
        await consumer.start()
        try:
            await consumer.getmany(timeout_ms=5_000)
            while not consumer.assignment():
                await asyncio.sleep(0.1)
            assert internals.gave_up(consumer) is None

            def fails(*_: object) -> None:
                raise AssertionError("planted")

            monkeypatch.setattr(getattr(consumer, part), method, fails)
            consumer._coordinator.coordinator_dead()  # it looks for one
            consumer.seek(next(iter(consumer.assignment())), 0)  # it fetches again
            for _ in range(300):
                if (failure := internals.gave_up(consumer)) is not None:
                    return failure
                await asyncio.sleep(0.1)
            return None
        finally:
            with suppress(KafkaError):
                await consumer.stop()

    assert "planted" in repr(asyncio.run(seen()))


def test_a_consumer_that_was_stopped_has_not_given_up(broker: Broker, prefix: str) -> None:
    make_topics(broker.bootstrap, prefix)

    async def after_a_stop() -> BaseException | None:
        consumer = aiokafka.AIOKafkaConsumer(
            f"{prefix}.purchases", bootstrap_servers=broker.bootstrap, group_id=prefix
        )
        await consumer.start()
        await consumer.stop()
        return internals.gave_up(consumer)

    assert asyncio.run(after_a_stop()) is None
