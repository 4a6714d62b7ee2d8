"""Two years of a generated shop, made once for all tests of the worker."""

from collections.abc import Callable

import pytest

from stream.core.events.event import Event
from stream.importing.generated.history import planned_lives, shop_events
from tests.support.kafka_broker import Broker
from tests.support.running_worker import SHOP, WorkerKafka, tick


@pytest.fixture(scope="session")
def history() -> list[Event]:
    """All events in order of time, and a last tick that makes the clocks of all partitions agree."""
    return [*shop_events(SHOP, planned_lives(SHOP)), tick(SHOP.ends)]


@pytest.fixture
def new_kafka(broker: Broker, prefix: str) -> Callable[..., WorkerKafka]:
    """Creates topics and a consumer group for this test alone."""

    def made(partitions: int = 4) -> WorkerKafka:
        return WorkerKafka(broker.bootstrap, prefix, partitions).make_topics()

    return made
