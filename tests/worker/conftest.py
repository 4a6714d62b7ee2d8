"""A shop's two years for the worker's tests, told once."""

from collections.abc import Callable

import pytest

from stream.core.events.event import Event
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from tests.support.kafka_broker import Broker
from tests.support.running_worker import Ground, tick

SHOP = Shop(seed=5, customers=60)


@pytest.fixture(scope="session")
def history() -> list[Event]:
    """All events in order of time, and a last tick that makes the clocks of all partitions agree."""
    return [*shop_events(SHOP, planned_lives(SHOP)), tick(SHOP.ends)]


@pytest.fixture
def ground(broker: Broker, prefix: str) -> Callable[..., Ground]:
    """Topics of this test alone."""

    def made(partitions: int = 4) -> Ground:
        return Ground(broker.bootstrap, prefix, partitions).make_topics()

    return made
