"""An admin client, for what no worker does: delete topics, groups and records."""

import pytest
from confluent_kafka.admin import AdminClient

from tests.support.kafka_broker import Broker


@pytest.fixture
def client(broker: Broker) -> AdminClient:
    """Kept until the test ends: a future of a client that is gone never completes."""
    return AdminClient({"bootstrap.servers": broker.bootstrap})
