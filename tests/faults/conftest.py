"""A client for what no worker does: topics, groups and records that go."""

import pytest
from confluent_kafka.admin import AdminClient

from tests.support.kafka_broker import Broker


@pytest.fixture
def client(broker: Broker) -> AdminClient:
    """Its answers come only as long as it lives."""
    return AdminClient({"bootstrap.servers": broker.bootstrap})
